#!/bin/sh
# Run once by the PostgreSQL image, when its data folder is new: the role and database of the application.
# The role is no superuser: a hole in a query must not become a shell on the database server.
set -eu
password=$(cat "$OPS_APPLICATION_PASSWORD_FILE")
# The statements go in over stdin: no password in a process list.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
CREATE ROLE ${OPS_APPLICATION_ROLE:-opsconductor} LOGIN PASSWORD '$password';
CREATE DATABASE ${OPS_APPLICATION_DATABASE:-opsconductor} OWNER ${OPS_APPLICATION_ROLE:-opsconductor};
REVOKE CONNECT ON DATABASE ${OPS_APPLICATION_DATABASE:-opsconductor} FROM PUBLIC;
SQL
