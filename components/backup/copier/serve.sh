#!/bin/sh
# Waits for orders of the keeper: "copy" or "test", with a number. The answer has the order in it, so that one that was
# interrupted is taken up again and one that is done is not done twice.
set -u
umask 022
here=${0%/*}
cd "$EXCHANGE" || exit 1

answer() {
    printf '%s %s\n' "$1" "$2" >.answer
    mv .answer answer
}

while :; do
    order=$(cat order 2>/dev/null || true)
    case "$(cat answer 2>/dev/null || true)" in
        "$order done" | "$order failed") order="" ;;
    esac
    case "$order" in
        copy* | test*)
            answer "$order" busy
            echo "$order"
            if sh "$here/$KIND-${order%% *}.sh"; then answer "$order" "done"; else answer "$order" failed; fi
            ;;
    esac
    sleep 1
done
