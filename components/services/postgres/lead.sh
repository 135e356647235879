#!/bin/sh
# Starts the server that leads, by the command that it has without a standby.
#
# Where the data was a standby's copy until now, it becomes a server of its own first: what has arrived is replayed to its
# end, and a new timeline begins there. Danger: who leads is decided in the stack file alone. Nothing here can know whether
# the one that led before is gone: docs/runbook.md says how to make sure.
set -eu
home=${PGDATA%/*}
mkdir -p "$home"

# Two servers on one volume destroy it, and in their containers neither sees the other. The lock goes with the last process
# that holds it.
exec 9>"$home/lock"
flock 9

if [ -s "$PGDATA/PG_VERSION" ]; then
  [ ! -f "$PGDATA/standby.signal" ] || mv "$PGDATA/standby.signal" "$PGDATA/recovery.signal"
  # Nothing is fetched from elsewhere: recovery ends where the copy does. The file has a password in it, and a statement
  # that fails would be logged as it is.
  postgres --single -j -D "$PGDATA" -c restore_command=false -c log_min_error_statement=panic -c log_statement=none \
    template1 </docker-entrypoint-initdb.d/06-standby.sql >/dev/null
elif [ "$PROMOTED" = yes ]; then
  echo "there is no copy of the database on this machine: nothing is begun in its place" >&2
  exit 1
else
  # The scripts of a first start wait for nobody: the standby comes after them.
  export PGOPTIONS="-c synchronous_commit=local"
fi

exec "$@"
