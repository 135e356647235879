# What the keeper's scripts share. Each of them reads this file; it is not run by itself.
#
# WORK has what outlives a restart, EXCHANGE/SERVICE is shared with the container that copies that service.
umask 022

log() { printf '%s\n' "$*"; }

# One at a time, whoever starts it. The lock goes with the last process that holds it, so none is ever left behind.
exclusively() {
    [ -z "${LOCKED:-}" ] || return 0
    exec 9>"$WORK/lock"
    flock -n 9 || { log "another backup, test or restore is running"; exit 75; }
    export LOCKED=1
}

repository() { restic --option s3.bucket-lookup=path "$@"; }

# The repository's id; nothing where it does not open. A lock must not keep anybody from knowing it: locks of processes that
# are gone are removed only where the repository is known to be this server's own.
identity() { repository cat config --no-lock | field id; }

# A field of restic's JSON. What is asked for is never nested, and no value of it has a quote.
field() { sed -n "s/.*\"$1\": *\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p"; }

remember() {
    printf '%s\n' "$2" >"$WORK/.new"
    mv "$WORK/.new" "$WORK/$1"
}

recall() { cat "$WORK/$1" 2>/dev/null || echo 0; }

# metric NAME SERVICE VALUE
metric() {
    mkdir -p "$WORK/metrics/$1"
    remember "metrics/$1/$2" "$3"
}

# succeeded PREFIX SERVICE, failed PREFIX SERVICE: the pair of metrics that every kind of work has.
succeeded() {
    metric "$1_last_success_timestamp_seconds" "$2" "$(date +%s)"
    metric "$1_$3" "$2" 1
}

failed() { metric "$1_$3" "$2" 0; }

# All metrics as one file, renamed when it is whole: its reader never sees half of it.
publish() {
    mkdir -p "$METRICS"
    for folder in "$WORK"/metrics/*; do
        [ -d "$folder" ] || continue
        name="zero_exposure_${folder##*/}"
        printf '# TYPE %s gauge\n' "$name"
        for service in $SERVICES repository; do
            [ ! -f "$folder/$service" ] || printf '%s{name="%s"} %s\n' "$name" "$service" "$(cat "$folder/$service")"
        done
    done >"$METRICS/.backup.new"
    chmod 644 "$METRICS/.backup.new"
    mv "$METRICS/.backup.new" "$METRICS/backup.prom"
}

# ask SERVICE WORK: has a service's copier do something, and waits for its answer.
#
# A copier that is there answers "busy" at once; one that is not is waited for no longer than a restart takes.
ask() {
    folder="$EXCHANGE/$1" order="$2 $(date +%s) $$" begun=$(date +%s)
    printf '%s\n' "$order" >"$folder/.order"
    mv "$folder/.order" "$folder/order"
    while :; do
        answer=$(cat "$folder/answer" 2>/dev/null || true) waited=$(($(date +%s) - begun))
        case "$answer" in
            "$order done") return 0 ;;
            "$order failed") log "$1: $2 failed; the log of its container says why"; return 1 ;;
            "$order busy") [ "$waited" -lt "$PATIENCE" ] || { log "$1: $2 takes longer than $PATIENCE s"; return 1; } ;;
            *) [ "$waited" -lt 120 ] || { log "$1: its container does not answer"; return 1; } ;;
        esac
        sleep 1
    done
}
