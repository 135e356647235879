#!/usr/bin/env bash
# SSH leads through the admin tunnel, so a runner that deploys needs cloudflared, from Cloudflare's own repository.
set -euo pipefail
keyring=/usr/share/keyrings/cloudflare-main.gpg
curl --fail --silent --show-error --location https://pkg.cloudflare.com/cloudflare-main.gpg | sudo tee "$keyring" >/dev/null
echo "deb [signed-by=$keyring] https://pkg.cloudflare.com/cloudflared any main" |
  sudo tee /etc/apt/sources.list.d/cloudflared.list >/dev/null
sudo apt-get update -qq
# 2026.6.0 ignores service tokens (cloudflare/cloudflared#1673).
sudo apt-get install --yes -qq 'cloudflared=2026.8.2' >/dev/null
