#!/bin/sh
# Before the server starts, the passwords in /run/secrets become those of the database: `password` the superuser's, and
# `role_NAME` that of the role NAME. Without this a rotated secret would stand in the clients' files and nowhere else.
#
# Single-user mode asks for no password and listens nowhere. Danger: a statement that fails is logged as it is, with the
# password in it, unless log_min_error_statement is raised.
set -eu
[ $# -gt 0 ] || set -- postgres

statement() {
  printf "ALTER ROLE \"%s\" PASSWORD '%s';\n" "$1" "$(sed "s/'/''/g" "$2")"
}

# An empty volume has no cluster yet: the image's entry point makes it, and init scripts set the first passwords.
if [ -s "$PGDATA/PG_VERSION" ]; then
  {
    statement postgres "$POSTGRES_PASSWORD_FILE"
    for file in /run/secrets/role_*; do
      [ ! -f "$file" ] || statement "${file##*/role_}" "$file"
    done
  } | postgres --single -D "$PGDATA" -c log_min_error_statement=panic -c log_statement=none template1 >/dev/null
fi

exec docker-entrypoint.sh "$@"
