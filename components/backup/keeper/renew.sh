#!/bin/sh
# Gives the repository its newest password, and takes those before it away: whoever has one of these opens nothing.
#
# Wherever it is cut off, one of the passwords opens the repository, and the next run goes on. A key that somebody added by
# hand opens with none of them, and stays. Data is not encrypted anew: docs/rotation.md says what that means.
set -u
here=${0%/*}
. "$here/common.sh"
exclusively
former="${RESTIC_PASSWORD_FILE%/*}/former" used="$WORK/.former"
# What a run that was killed has left behind.
rm -f "$used"
[ -f "$former" ] || exit 0
count=$(wc -l <"$former")
[ "$(recall renewed)" != "$count" ] || exit 0
trap 'rm -f "$used"' EXIT

# Asked without a lock, for the same reason as the identity is.
opens() { repository --password-file "$1" cat config --no-lock >/dev/null 2>&1; }

# The id of the key that a password file opens; nothing where it opens none.
key_of() {
    repository --password-file "$1" key list --json 2>/dev/null | sed 's/},{/}\n{/g' | grep '"current":true' | field id
}

replace() {
    (umask 077 && printf '%s\n' "$1" >"$used")
    opens "$used" || return 0
    repository --password-file "$used" unlock --quiet
    old=$(key_of "$used")
    [ -n "$old" ] || return 1
    opens "$RESTIC_PASSWORD_FILE" ||
        repository --password-file "$used" key add --new-password-file "$RESTIC_PASSWORD_FILE" || return 1
    repository key remove "$old" || return 1
    log "the repository has a new password, and the one before it opens nothing"
}

while IFS= read -r password; do
    replace "$password" || exit 1
done <"$former"
# Where none of them opens it there is no repository yet, or no way to it: asked again next time.
! opens "$RESTIC_PASSWORD_FILE" || remember renewed "$count"
