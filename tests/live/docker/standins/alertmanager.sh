#!/bin/sh
# Debian's Alertmanager is older than `url_file` (0.26): each address is read from its file here, and stands in a copy of
# the configuration.
config=/alertmanager/config.yaml
given=$(echo "$1" | cut -d= -f2)
shift
awk '/url_file:/ { getline url < $NF; sub(/url_file:.*/, "url: " url) } { print }' "$given" >$config
exec prometheus-alertmanager --config.file=$config "$@"
