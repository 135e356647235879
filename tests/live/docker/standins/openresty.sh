#!/bin/sh
# OpenResty has built in what Debian's nginx loads as modules.
modules=/usr/local/lib/nginx-1.26/modules
exec nginx-1.26 "$@" -g "load_module $modules/ndk_http_module.so; load_module $modules/ngx_http_lua_module.so;
  load_module $modules/ngx_http_headers_more_filter_module.so; load_module $modules/ngx_stream_module.so;"
