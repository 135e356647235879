-- "schema.table|rows" of every table whose rows are in a dump.
SELECT format('SELECT %L, count(*) FROM %I.%I', format('%I.%I', nspname, relname), nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND relpersistence = 'p'
  AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_'
ORDER BY format('%I.%I', nspname, relname) COLLATE "C" \gexec
