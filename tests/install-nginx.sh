#!/usr/bin/env bash
# Installs Debian 13's nginx, with Lua, beside an older Debian's own: the gateway needs 1.23 (components/gateway/lua/gate.lua).
#
# Its packages are only unpacked, into a folder of their own, and `nginx-1.26` runs it on the libraries that are there too.
set -euo pipefail
cd "$(dirname "$0")"
place=/usr/local/lib/nginx-1.26 launcher=/usr/local/bin/nginx-1.26
packages=nginx,libnginx-mod-http-lua,libnginx-mod-http-headers-more-filter,libnginx-mod-stream,lua-resty-core,lua-cjson
if [ "$launcher" -nt install-nginx.sh ] && [ "$launcher" -nt nginx-1.26.sh ]; then exit; fi

# Where this machine itself gets Debian from.
mirror() {
  apt-get indextargets --format "\$(LABEL)|\$(REPO_URI)" "Created-By: Packages" "Component: main" |
    sed -n "s/^$1|//p" | head -n 1
}
main=$(mirror Debian) security=$(mirror Debian-Security)
root=$(mktemp --directory)
trap 'rm -rf "$root"' EXIT
mmdebstrap --quiet --variant=extract --mode=root --aptopt="APT::Install-Recommends false" --include="$packages" \
  trixie "$root" "deb $main trixie main" "deb ${security:-$main} trixie-security main"

rm -rf "$place"
install -d "$place/share" "$place/x86_64-linux-gnu"
cp -a "$root/usr/sbin/nginx" "$root/usr/lib/nginx/modules" "$place/"
cp -a "$root"/usr/lib/x86_64-linux-gnu/{lua,*.so*} "$place/x86_64-linux-gnu/"
cp -a "$root/usr/share/lua" "$root/usr/share/luajit-2.1" "$place/share/"
chmod -R a+rX "$place"
install -m 755 nginx-1.26.sh "$launcher"
"$launcher" -v
