-- Dump and count see the same moment: both use the snapshot that this transaction holds.
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot \gset
\setenv SNAPSHOT :snapshot
-- psql goes on whatever this ends with, so a dump that failed is taken away.
\! pg_dump --snapshot="$SNAPSHOT" --format=custom --compress=0 --no-tablespaces --file="$DUMP" || rm -f "$DUMP"
\o :counts
\ir rows.sql
\o
COMMIT;
