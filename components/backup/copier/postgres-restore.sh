#!/bin/sh
# Puts what the keeper has fetched in the place of the databases that are there. These are renamed, not dropped, and get
# their names back if anything goes wrong. Clients should be stopped: their connections are ended.
#
# With "back" it does the second part only, for a restore that was killed or could not reach the server. What was renamed
# is written down before, where nobody but this script takes it away; while that is there, nothing is copied.
set -eu
here=${0%/*}
copy="$EXCHANGE/fetched/copy" renamed="$EXCHANGE/halfway"
suffix="_replaced_$(date -u +%Y%m%d%H%M%S)"
export PGDATABASE=template1
# A restore goes on when the order for it is broken off. Whoever clears away what was fetched waits for this.
exec 9<"$EXCHANGE"
flock -n 9 || { echo "another restore of this is running"; exit 75; }

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

there() {
    psql -X --no-align --tuples-only --set=ON_ERROR_STOP=1 --set=name="$1" <<'SQL'
SELECT 1 FROM pg_database WHERE datname = :'name';
SQL
}

# A server that crashed is restarted, and reads its log first.
answers() {
    begun=$(date +%s)
    until pg_isready -q; do
        [ $(($(date +%s) - begun)) -lt "${PATIENCE:-300}" ] || return 1
        sleep 1
    done
}

# A server that does not answer is not one without the database: each step that fails ends this.
back() {
    while IFS="$(printf '\t')" read -r name kept; do
        if [ -z "$kept" ]; then
            drop "$name" || return 1
            continue
        fi
        found=$(there "$kept") || return 1
        [ -z "$found" ] || { drop "$name" && rename "$kept" "$name"; } || return 1
        [ -n "$(there "$name")" ] || return 1
    done <"$renamed"
    rm "$renamed"
}

end() {
    trap - EXIT
    if [ ! -f "$renamed" ] || { answers && back; }; then
        echo "nothing was restored: everything is as it was"
        exit 1
    fi
    echo "NOT EVERYTHING IS AS IT WAS. Databases and the names that they are kept by:"
    while IFS="$(printf '\t')" read -r name kept; do [ -z "$kept" ] || echo "  $name: $kept"; done <"$renamed"
    echo "Once the server answers, this brings them back, before any client is started: sh $0 back"
    exit 1
}
trap end EXIT

[ ! -f "$renamed" ] || back
if [ "${1:-}" = back ]; then
    trap - EXIT
    echo "everything is as it was"
    exit
fi
# Where nothing is kept there was nothing: what is left of it after a failure goes.
: >"$EXCHANGE/.halfway"
while IFS="$(printf '\t')" read -r _ name; do
    found=$(there "$name")
    printf '%s\t%s\n' "$name" "${found:+$name$suffix}" >>"$EXCHANGE/.halfway"
done <"$copy/databases"
mv "$EXCHANGE/.halfway" "$renamed"
while IFS="$(printf '\t')" read -r name kept; do [ -z "$kept" ] || rename "$name" "$kept"; done <"$renamed"
sh "$here/postgres-load.sh" "$copy"
rm "$renamed"
trap - EXIT
echo "what was there before is kept as NAME$suffix"
