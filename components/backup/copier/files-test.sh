#!/bin/sh
# Reads what the keeper has fetched to its end, and compares the names with what was copied.
set -eu
cd "$EXCHANGE/fetched/copy"
tar -tf volumes.tar | sort | cmp -s - names || { echo "not the files that were copied"; exit 1; }
tar -xOf volumes.tar >/dev/null
echo "$(wc -l <names) files and folders"
