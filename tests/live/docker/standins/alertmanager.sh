#!/bin/sh
# Debian's Alertmanager is older than `url_file` (0.26): each address is read from its file here, and stands in a copy of
# the configuration. It also writes the address of a receiver that fails into its log, which the deployed version never
# does: taken out here, since addresses are secrets.
folder=/alertmanager
given=$(echo "$1" | cut -d= -f2)
shift
awk '/url_file:/ { getline url < $NF; sub(/url_file:.*/, "url: " url) } { print }' "$given" >$folder/config.yaml
[ -p $folder/log ] || mkfifo $folder/log
awk '{ gsub(/https?:\/\/[^"\\ ]*/, "<redacted>"); print; fflush() }' <$folder/log >&2 &
exec prometheus-alertmanager --config.file=$folder/config.yaml "$@" 2>$folder/log
