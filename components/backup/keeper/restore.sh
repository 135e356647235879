#!/bin/sh
# The keeper's part of a restore, which ops/restore leads.
#
#   fetch SERVICE SNAPSHOT   brings a snapshot to the service's copier; no backup starts from now on
#   done SERVICE…            the data is in place: the repository is this server's own, and backups go on
#   abandon SERVICE…         nothing was changed, and backups go on
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
    abandon) clear "$@" ;;
    *) exit 64 ;;
esac
