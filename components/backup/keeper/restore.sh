#!/bin/sh
# The keeper's part of a restore, which ops/restore leads.
#
#   fetch SERVICE SNAPSHOT   brings a snapshot to the service's copier; no backup starts from now on
#   done SERVICE…            the data is in place: the repository is this server's own, and backups go on
#   abandon SERVICE…         nothing writes any more, everything is as it was, and backups go on; it fails where a database
#                            has not got its name back
set -u
here=${0%/*}
. "$here/common.sh"
exclusively
task=$1
shift

clear() {
    for service in "$@"; do rm -rf "${EXCHANGE:?}/$service/fetched"; done
    rm -f "$WORK/restoring"
}

# An order that is broken off goes on where it was given: this waits for its end.
settled() {
    for service in "$@"; do
        flock "$EXCHANGE/$service" rm -rf "${EXCHANGE:?}/$service/fetched"
        [ ! -f "$EXCHANGE/$service/halfway" ] || { log "$service: its restore ended half-way"; return 1; }
    done
}

case "$task" in
    fetch)
        sh "$here/renew.sh"
        remember restoring "$(date +%s)"
        sh "$here/fetch.sh" "$1" "$2"
        ;;
    done)
        clear "$@"
        found=$(identity)
        # At once, not when the hour of an attempt that was refused is over.
        [ -n "$found" ] && remember adopted "$found" && remember attempt 0
        ;;
    abandon) settled "$@" && clear "$@" ;;
    *) exit 64 ;;
esac
