#!/bin/sh
# Starts CrowdSec with an empty memory: it makes itself an agent's password, and admits the readers of its decisions.
#
# cscli takes a reader's key as an argument only. It is seen by no one but this container for that moment, and opens an API
# that only its reader's network leads to.
set -eu
config="$1"
state="$2"
keys="$3"
mkdir -p "$state/notifications" "$state/plugins"
rm -f "$state/crowdsec.db"*
cscli -c "$config" machines add agent --auto --force -f "$state/agent.yaml" >/dev/null
for key in "$keys"/reader-*; do
    cscli -c "$config" bouncers add "${key##*/reader-}" --key "$(cat "$key")" >/dev/null
done
exec crowdsec -c "$config"
