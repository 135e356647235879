#!/bin/sh
# fetch.sh SERVICE SNAPSHOT: brings a snapshot to where the service's copier reads it, and compares it with its list.
#
# With "latest" that is the service's own latest one. A snapshot of another service is refused. It waits for no lock, so that
# one of a machine that is lost keeps nobody from restoring: what somebody prunes meanwhile is missing from the list.
set -u
here=${0%/*}
. "$here/common.sh"
exclusively
service=$1 snapshot=$2
folder="$EXCHANGE/$service/fetched"
flock -n "$EXCHANGE/$service" rm -rf "$folder" || { log "$service: a restore of it is still running"; exit 75; }
mkdir "$folder" &&
    repository restore "$snapshot" --no-lock --host "$STACK" --tag "$service" --target "$folder" >/dev/null &&
    cd "$folder/copy" && sha256sum -c LIST >/dev/null && [ "$(cat service)" = "$service" ] && exit
log "$service: snapshot $snapshot is not whole, or not of this service"
exit 1
