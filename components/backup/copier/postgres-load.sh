#!/bin/sh
# postgres-load.sh COPY: makes the databases of a copy on the server that PGHOST names, where none of them may be yet, and
# compares the rows of each table with what was counted at the dump.
set -eu
here=${0%/*}
copy=$1
export PGDATABASE=template1
# Roles that are there stay as they are, their passwords too; that says an error for each. A missing one fails below.
psql -X --quiet --file="$copy/globals.sql" 2>/dev/null || true
while IFS="$(printf '\t')" read -r id name; do
    pg_restore --exit-on-error --create --dbname=template1 "$copy/$id.dump"
    PGDATABASE="$name" psql -X --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --file="$here/rows.sql" |
        cmp -s - "$copy/$id.rows" || { echo "$name: not the rows that were dumped"; exit 1; }
    PGDATABASE="$name" psql -X --quiet --command="ANALYZE"
    echo "$name: $(wc -l <"$copy/$id.rows") tables with the rows that were dumped"
done <"$copy/databases"
