#!/bin/sh
# Puts what the keeper has fetched in the place of what is in the volumes. The service has to be stopped. It runs in a
# container of its own, which may write to the volumes below VOLUMES: the one that copies may only read.
set -eu
# Whoever starts the service waits for this, since it goes on when the order for it is broken off.
exec 9<"$EXCHANGE"
flock -n 9 || { echo "another restore of this is running"; exit 75; }
archive="$EXCHANGE/fetched/copy/volumes.tar"
tar -tf "$archive" >/dev/null
for volume in "$VOLUMES"/*; do
    find "$volume" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
done
tar -C "$VOLUMES" -xf "$archive"
