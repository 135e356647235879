#!/bin/sh
# A dump of every database with what is needed to judge it: its rows by table, counted at the very moment of the dump.
# Roles come without their passwords, which are the stack's secrets and not the backup's.
set -eu
here=${0%/*}
copy="$EXCHANGE/copy"
[ ! -f "$EXCHANGE/halfway" ] || { echo "a restore ended half-way: docs/runbook.md says what to do"; exit 1; }
rm -rf "$copy"
mkdir "$copy"
cd "$copy"
export PGDATABASE=template1 PGOPTIONS="-c idle_in_transaction_session_timeout=0 -c statement_timeout=0"
pg_dumpall --globals-only --no-role-passwords --no-tablespaces --file=globals.sql
psql -X --no-align --tuples-only --field-separator="$(printf '\t')" --set=ON_ERROR_STOP=1 \
    --file="$here/databases.sql" --output=all
[ -s all ]
: >databases
while IFS="$(printf '\t')" read -r id name; do
    # The name goes by the environment: as an argument some would be read as a connection string.
    PGDATABASE="$name" DUMP="$id.dump" psql -X --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
        --set=counts="$id.rows" --file="$here/dump.sql"
    # Read to its end: a list of contents stands at the beginning of a file that is cut off as well.
    [ -s "$id.dump" ]
    pg_restore --list "$id.dump" >/dev/null
    pg_restore --file=/dev/null "$id.dump"
    # The one that initdb makes, where nobody uses it.
    if [ "$name" = postgres ] && [ ! -s "$id.rows" ]; then
        rm "$id.dump" "$id.rows"
        continue
    fi
    printf '%s\t%s\n' "$id" "$name" >>databases
done <all
rm all
printf '%s\n' "$SERVICE" >service
sha256sum -- * >"$EXCHANGE/.list"
mv "$EXCHANGE/.list" LIST
