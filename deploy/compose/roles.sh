#!/bin/bash
# At the first start of the database: a role that owns the schema and one for the application, neither of them a superuser.
set -euo pipefail
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    --set owner_password="$OWNER_DATABASE_PASSWORD" --set app_password="$APP_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE docrefinery_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE docrefinery LOGIN PASSWORD :'app_password';
CREATE DATABASE docrefinery OWNER docrefinery_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE docrefinery FROM PUBLIC;
GRANT CONNECT ON DATABASE docrefinery TO docrefinery;
SQL
