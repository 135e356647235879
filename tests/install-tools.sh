#!/usr/bin/env bash
# Installs tests/apt-packages.txt, and Debian 13's nginx. None of the services is started: tests start their own, on addresses of their own.
set -euo pipefail
cd "$(dirname "$0")"
command -v apt-get >/dev/null || { echo "This installs Debian packages: $(grep -vE '^#' apt-packages.txt | xargs)" >&2; exit 1; }
sudo=""; [ "$(id -u)" = 0 ] || sudo="sudo"
mapfile -t packages < <(grep -vE '^(#|$)' apt-packages.txt)
if dpkg-query -W -f '${db:Status-Status}\n' "${packages[@]}" 2>/dev/null | grep -qvx installed \
  || ! dpkg-query -W "${packages[@]}" >/dev/null 2>&1; then
  # A package's own start of its service is refused for as long as this runs.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d >/dev/null
    $sudo chmod 755 /usr/sbin/policy-rc.d
    trap '$sudo rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  # Without this file CrowdSec's package registers the machine with a service on the internet while it is installed.
  if [ ! -e /etc/crowdsec/online_api_credentials.yaml ]; then
    $sudo mkdir -p /etc/crowdsec
    echo "# not registered" | $sudo tee /etc/crowdsec/online_api_credentials.yaml >/dev/null
  fi
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
$sudo ./install-nginx.sh
echo "Test tools are installed: ${packages[*]}"
