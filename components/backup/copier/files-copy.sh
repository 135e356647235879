#!/bin/sh
# The service's volumes as they are, one file after another while the service writes. A file that changed under way is a
# reason to begin again, three times.
set -eu
copy="$EXCHANGE/copy"
rm -rf "$copy"
mkdir "$copy"
cd "$copy"
for attempt in 1 2 3; do
    if tar -C "$VOLUMES" -cf volumes.tar .; then break; fi
    [ "$attempt" -lt 3 ] || exit 1
    sleep 5
done
tar -tf volumes.tar | sort >names
[ -s names ]
printf '%s\n' "$SERVICE" >service
sha256sum -- * >"$EXCHANGE/.list"
mv "$EXCHANGE/.list" LIST
