#!/bin/sh
# Starts the server that follows: a copy of the one that leads, made where there is none yet, and kept up from then on.
#
# What is on the volume and is no copy led before. It is put aside, not deleted, and only where it is the same database: a
# leader that began anew by mistake is not followed.
set -eu
export LC_ALL=C
home=${PGDATA%/*} copy=${PGDATA%/*}/copy
mkdir -p "$home"

# As in lead.sh: whoever led from this volume has to end first.
exec 9>"$home/lock"
flock 9

conninfo="host=$LEADER port=5432 user=standby passfile=/run/secrets/leader connect_timeout=10"

replication() {
  psql -X --no-password --no-align --tuples-only --field-separator=' ' "$conninfo replication=yes" --command="$1"
}

put_aside() {
  own=$(pg_controldata "$PGDATA" | sed -n 's/^Database system identifier: *//p')
  if [ "$own" != "$1" ]; then
    echo "another database leads than the one on this volume, which is left as it is" >&2
    return 1
  fi
  mv "$PGDATA" "$home/replaced_$(date -u +%Y%m%d%H%M%S)"
}

copied() {
  theirs=$(replication IDENTIFY_SYSTEM) && [ -n "$theirs" ] || return 1
  [ ! -s "$PGDATA/PG_VERSION" ] || put_aside "${theirs%% *}" || return 1
  # A copy that was not finished, and what was kept for it.
  rm -rf "$copy"
  replication "DROP_REPLICATION_SLOT standby" 2>/dev/null || true
  pg_basebackup --dbname="$conninfo" --no-password --pgdata="$copy" --checkpoint=fast --wal-method=stream \
    --create-slot --slot=standby || return 1
  touch "$copy/standby.signal" && mv "$copy" "$PGDATA"
}

[ -f "$PGDATA/standby.signal" ] || until copied; do sleep 5; done

# Nobody calls it, so it listens to itself alone.
exec postgres -D "$PGDATA" -c "primary_conninfo=$conninfo application_name=standby" -c primary_slot_name=standby \
  -c listen_addresses=127.0.0.1 -c hba_file=/etc/zero-exposure/standby/pg_hba.conf
