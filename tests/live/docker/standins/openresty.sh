#!/bin/sh
# OpenResty has built in what Debian's nginx loads as modules.
modules=/usr/lib/nginx/modules
exec nginx "$@" -g "load_module $modules/ndk_http_module.so; load_module $modules/ngx_http_lua_module.so;
  load_module $modules/ngx_http_headers_more_filter_module.so;"
