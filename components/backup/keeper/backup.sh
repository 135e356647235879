#!/bin/sh
# One backup of everything. Each service's copier makes a copy, and each copy becomes a snapshot of its own: a service that
# fails takes no other one along. Exit code 1 if anything failed.
set -u
here=${0%/*}
. "$here/common.sh"
exclusively

# A repository that could not be asked is not known to be empty.
empty() {
    made=$(repository snapshots --no-lock --json) || return 1
    [ -n "$(printf '%s\n' "$made" | field id)" ] || return 0
    log "the repository has backups of another server: restore them first (make restore), or keep what is here" \
        "(make restore SNAPSHOT=none)"
    return 1
}

# The repository has to be the one that this stack made or was restored from. Else the server is a new one, beside backups
# of an old one that would be pushed out by those of nothing.
opened() {
    if [ -n "${AWS_SHARED_CREDENTIALS_FILE:-}" ] && [ ! -f "$AWS_SHARED_CREDENTIALS_FILE" ]; then
        log "there are no access keys yet: docs/backup.md says how to make them"
        return 1
    fi
    found=$(identity)
    if [ -z "$found" ]; then
        # Where there is a repository that could not be read, this fails and changes nothing.
        repository init || return 1
        found=$(identity)
    elif [ "$(recall adopted)" != "$found" ]; then
        empty || return 1
    fi
    [ -n "$found" ] && remember adopted "$found"
}

# A snapshot is written last, so one that ends half-way leaves none. One that left a file out is taken away again.
saved() {
    ask "$1" copy || return 1
    summary=$(cd "$EXCHANGE/$1" && repository backup --json --quiet --host "$STACK" --tag "$1" copy)
    code=$? snapshot=$(printf '%s\n' "$summary" | field snapshot_id)
    if [ "$code" != 0 ] || [ -z "$snapshot" ]; then
        [ -z "$snapshot" ] || repository forget "$snapshot"
        log "$1: restic ended with $code"
        return 1
    fi
    metric backup_size_bytes "$1" "$(printf '%s\n' "$summary" | field total_bytes_processed)"
    log "$1: snapshot $snapshot"
}

# Two days whole: what goes wrong is often backed up once more before somebody sees it.
tidied() {
    repository forget --quiet --host "$STACK" --group-by host,tags --keep-within 2d --keep-daily "$KEEP_DAILY" \
        --keep-weekly "$KEEP_WEEKLY" --keep-monthly "$KEEP_MONTHLY" --prune
}

code=0
if sh "$here/renew.sh" && opened; then
    # Of processes that are gone: a keeper that was killed while it pruned or checked would lock out every run after it.
    repository unlock --quiet
    for service in $SERVICES; do
        if saved "$service"; then succeeded backup "$service" last_run_ok; else failed backup "$service" last_run_ok; code=1; fi
    done
    if tidied; then succeeded backup repository last_run_ok; else failed backup repository last_run_ok; code=1; fi
    publish
    sh "$here/test.sh" weekly || code=1
else
    for service in $SERVICES repository; do failed backup "$service" last_run_ok; done
    code=1
fi
publish
exit "$code"
