#!/bin/sh
# Puts what the keeper has fetched in the place of the databases that are there. These are renamed, not dropped, and get
# their names back if anything goes wrong. Clients should be stopped: their connections are ended.
set -eu
here=${0%/*}
copy="$EXCHANGE/fetched/copy"
suffix="_replaced_$(date -u +%Y%m%d%H%M%S)"
export PGDATABASE=template1

# rename FROM TO, where there is FROM. The names of the copy are data, never text of the command.
rename() {
    psql -X --quiet --set=ON_ERROR_STOP=1 --set=from="$1" --set=to="$2" <<'SQL' >/dev/null
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :'from';
SELECT format('ALTER DATABASE %I RENAME TO %I', datname, :'to') FROM pg_database WHERE datname = :'from' \gexec
SQL
}

drop() {
    psql -X --quiet --set=ON_ERROR_STOP=1 --set=name="$1" <<'SQL'
DROP DATABASE IF EXISTS :"name" WITH (FORCE);
SQL
}

back() {
    while IFS="$(printf '\t')" read -r id name; do
        case "$absent" in *" $id "*) drop "$name" ;; esac
        [ -z "$(there "$name$suffix")" ] || { drop "$name" && rename "$name$suffix" "$name"; }
    done <"$copy/databases"
    echo "nothing was restored: everything is as it was"
}

there() {
    psql -X --no-align --tuples-only --set=name="$1" <<'SQL'
SELECT 1 FROM pg_database WHERE datname = :'name';
SQL
}

# Numbers of databases that are not there: what is left of these after a failure goes.
absent=" "
while IFS="$(printf '\t')" read -r id name; do
    [ -n "$(there "$name")" ] || absent="$absent$id "
done <"$copy/databases"
trap 'back; exit 1' EXIT
while IFS="$(printf '\t')" read -r _ name; do rename "$name" "$name$suffix"; done <"$copy/databases"
sh "$here/postgres-load.sh" "$copy"
trap - EXIT
echo "what was there before is kept as NAME$suffix"
