#!/bin/sh
# Restores what the keeper has fetched into a server of its own, which nobody else can reach: a socket in a folder that
# only this user may enter. It is gone afterwards.
set -eu
here=${0%/*}
scratch="$EXCHANGE/scratch"
rm -rf "$scratch"
mkdir -m 700 "$scratch"
end() {
    pg_ctl --pgdata="$scratch/data" --mode=immediate --wait stop >/dev/null 2>&1 || true
    rm -rf "$scratch"
}
trap end EXIT
initdb --pgdata="$scratch/data" --username="$PGUSER" --auth=trust --encoding=UTF8 --locale=C --no-sync >/dev/null
options="-c listen_addresses= -c unix_socket_directories=$scratch -c fsync=off -c shared_buffers=32MB"
pg_ctl --pgdata="$scratch/data" --log="$scratch/log" --options="$options" --wait start >/dev/null
export PGHOST="$scratch"
# initdb makes a database that the copy has as well.
PGDATABASE=template1 psql -X --quiet --command="DROP DATABASE postgres"
sh "$here/postgres-load.sh" "$EXCHANGE/fetched/copy" || { tail -n 20 "$scratch/log"; exit 1; }
