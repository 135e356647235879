#!/bin/sh
# Starts a backup when one is due.
#
# Due is what has not succeeded since the last planned time, and was not tried within the hour. This one rule has the daily
# run in it, the first one of all, one that was missed while the server was down, and trying again.
set -u
here=${0%/*}
. "$here/common.sh"

planned() {
    hours=${BACKUP_AT%:*} minutes=${BACKUP_AT#*:}
    # Without its leading zero: 08 is no octal number.
    at=$((${hours#0} * 3600 + ${minutes#0} * 60))
    echo $((($1 - at) / 86400 * 86400 + at))
}

due() {
    now=$1
    # While somebody restores, for a day at most.
    [ "$(recall restoring)" -lt $((now - 86400)) ] && [ "$(recall success)" -lt "$(planned "$now")" ] &&
        [ "$(recall attempt)" -lt $((now - 3600)) ]
}

# Signals reach a shell only when its command has ended, so the commands below run beside it. restic takes its lock away
# before it ends; the lock of the keeper is free when the last of them has.
stopped() {
    trap '' TERM
    kill -s TERM 0
    flock "$WORK/lock" true
    exit 143
}

if [ "${1:-}" = planned ]; then
    planned "$2"
    exit
fi
# At once and not with the next backup, so that a restore is possible in between.
trap stopped TERM
sh "$here/renew.sh" &
wait $!
while :; do
    now=$(date +%s)
    if due "$now"; then
        remember attempt "$now"
        sh "$here/backup.sh" &
        wait $! && remember success "$now"
    fi
    sleep 20 &
    wait $!
done
