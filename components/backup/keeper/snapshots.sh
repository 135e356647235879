#!/bin/sh
# What can be restored, by service.
set -u
here=${0%/*}
. "$here/common.sh"
repository snapshots --no-lock --compact --host "$STACK" --group-by tags
