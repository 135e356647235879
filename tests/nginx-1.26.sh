#!/bin/sh
# Debian 13's nginx on its own libraries, where tests/install-nginx.sh has put them.
place=/usr/local/lib/nginx-1.26
libraries=$place/x86_64-linux-gnu
export LUA_PATH="$place/share/luajit-2.1/?.lua;$place/share/lua/5.1/?.lua;;" LUA_CPATH="$libraries/lua/5.1/?.so;;"
exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$place/nginx" "$@"
