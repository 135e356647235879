#!/bin/sh
# What the official image's entry point does as a user that is not root: makes the cluster on an empty volume, runs the
# init scripts on a server without TCP, then starts the real one.
set -eu
data=/var/lib/postgresql/18/docker
if [ ! -s "$data/initialised" ]; then
  rm -rf "$data" && mkdir -p "$data" && chmod 0700 "$data"
  PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") && export PGPASSWORD
  # shellcheck disable=SC2086 # several arguments in one variable, as the image takes them
  LC_ALL=C initdb --encoding=UTF8 --pgdata="$data" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --no-sync $POSTGRES_INITDB_ARGS
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
  pg_ctl --pgdata="$data" --options="-c listen_addresses=''" --wait start
  psql --username=postgres --dbname=postgres --command="CREATE DATABASE $POSTGRES_DB"
  for script in /docker-entrypoint-initdb.d/*.sql; do
    psql --username=postgres --dbname="$POSTGRES_DB" --set=ON_ERROR_STOP=1 --quiet --file="$script"
  done
  pg_ctl --pgdata="$data" --mode=fast --wait stop
  unset PGPASSWORD
  echo yes > "$data/initialised"
fi
[ $# -eq 0 ] || shift
exec postgres -D "$data" -c "listen_addresses=*" "$@"
