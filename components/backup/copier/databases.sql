-- Every database but the templates and those that a restore has put aside.
SELECT oid, datname FROM pg_database
WHERE NOT datistemplate AND datallowconn AND datname !~ '_replaced_[0-9]{14}$'
ORDER BY datname;
