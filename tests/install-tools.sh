#!/usr/bin/env bash
# Installs tests/apt-packages.txt. None of the services is started: tests start their own, on addresses of their own.
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
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
echo "Test tools are installed: ${packages[*]}"
