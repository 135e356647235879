#!/bin/sh
# Restores the latest snapshot of each service into a scratch place and has its copier look at it; then reads a tenth of
# the repository, another one each week. With "weekly" only what was not tested within a week, and tried within a day.
set -u
here=${0%/*}
. "$here/common.sh"
exclusively
now=$(date +%s) code=0

due() {
    [ "$when" != weekly ] || {
        [ "$(recall "metrics/restore_test_last_success_timestamp_seconds/$1")" -lt $((now - 6 * 86400 - 43200)) ] &&
            [ "$(recall "tested-$1")" -lt $((now - 72000)) ]
    }
}

judged() {
    remember "tested-$1" "$now"
    if "$2" "$1"; then
        succeeded restore_test "$1" ok
    else
        failed restore_test "$1" ok
        code=1
    fi
}

restorable() {
    sh "$here/fetch.sh" "$1" latest && ask "$1" test
    result=$?
    rm -rf "${EXCHANGE:?}/$1/fetched"
    return "$result"
}

readable() {
    repository unlock --quiet
    repository check --quiet --read-data-subset="$((now / 604800 % 10 + 1))/10"
}

when=${1:-}
for service in $SERVICES; do
    if due "$service"; then judged "$service" restorable; fi
done
if due repository; then judged repository readable; fi
publish
exit "$code"
