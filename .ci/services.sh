#!/usr/bin/env bash
# Make PostgreSQL, Redis, RabbitMQ and Chromium usable for the tests: what answers is taken as it is, what is installed
# is started, what is missing is installed (root on Debian or Ubuntu); everything that cannot be had is named at once.
# Addresses that differ from the tests' defaults go to .cache/services.env, which the test script reads.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
env_file=.cache/services.env
mkdir -p .cache
chosen=" $(env | sed -n 's/^\(GATEKEEPER_TEST_[A-Z]*_URL\)=..*/\1/p' | tr '\n' ' ') " # by the user: never ours to start
# shellcheck source=/dev/null
[[ $chosen == *" GATEKEEPER_TEST_POSTGRES_URL "* ]] || [ ! -f "$env_file" ] || . "$env_file"
default_postgres_url=postgresql://postgres@127.0.0.1:5432/postgres
postgres_url=${GATEKEEPER_TEST_POSTGRES_URL:-$default_postgres_url}
redis_url=${GATEKEEPER_TEST_REDIS_URL:-redis://127.0.0.1:6379/15}
amqp_url=${GATEKEEPER_TEST_AMQP_URL:-amqp://guest:guest@127.0.0.1:5672//}
absent=()

silent() { .venv/bin/python .ci/reach.py "$@" 2>.cache/reach.log; }

# answers URL SECONDS: asks until the service answers or the time is over.
answers() {
  local until=$((SECONDS + $2))
  while [ -n "$(silent "it=$1")" ]; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.5
  done
}

# on_debian PACKAGE COMMAND: true when the command is there, or could be installed.
on_debian() {
  have "$2" && return
  can_apt || return
  apt_install "$1"
}

set_postgres_url() {
  postgres_url=$1
  printf "export GATEKEEPER_TEST_POSTGRES_URL='%s'\n" "$1" >"$env_file"
}

# cluster NAME COLUMN: one column of Debian's list (1 the version, 3 the port), empty when there is no such cluster.
cluster() { pg_lsclusters -h | awk -v name="$1" -v column="$2" '$2 == name {print $column}' | tail -n 1; }

# Debian's own cluster where it lets us in; else one of our own, which trusts this machine's users and nobody else.
debian_postgres() {
  local version
  version=$(cluster main 1)
  if [ -n "$version" ]; then
    pg_ctlcluster --skip-systemctl-redirect "$version" main start >>.cache/postgres.log 2>&1 || true
    if answers "$default_postgres_url" 3; then return; fi
  fi
  version=$(cluster gatekeeper 1)
  if [ -z "$version" ]; then
    say "Making a PostgreSQL cluster of our own, named gatekeeper"
    version=$(basename "$(dirname "$(dirname "$(newest_initdb)")")")
    pg_createcluster "$version" gatekeeper -- --auth-local=trust --auth-host=trust >>.cache/postgres.log 2>&1
  fi
  pg_ctlcluster --skip-systemctl-redirect "$version" gatekeeper start >>.cache/postgres.log 2>&1 || true
  set_postgres_url "postgresql://postgres@127.0.0.1:$(cluster gatekeeper 3)/postgres"
}

newest_initdb() {
  command -v initdb || find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1
}

free_port() { .venv/bin/python -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

own_postgres() {
  local bin data=$PWD/.cache/postgres port
  bin=$(dirname "$(newest_initdb)")
  [ -f "$data/PG_VERSION" ] || "$bin/initdb" -D "$data" -U postgres --auth=trust >>.cache/postgres.log
  "$bin/pg_ctl" -D "$data" -m fast stop >/dev/null 2>&1 || true
  port=$(free_port)
  "$bin/pg_ctl" -D "$data" -w -l .cache/postgres.log -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" start >/dev/null
  set_postgres_url "postgresql://postgres@127.0.0.1:$port/postgres"
}

start_postgres() {
  [ -n "$(newest_initdb)" ] || ! can_apt || apt_install postgresql
  [ -n "$(newest_initdb)" ] || return 1
  say "Starting PostgreSQL"
  rm -f "$env_file"
  postgres_url=$default_postgres_url
  if [ "$(id -u)" -eq 0 ]; then have pg_ctlcluster && debian_postgres; else own_postgres; fi
  answers "$postgres_url" 20
}

start_redis() {
  on_debian redis-server redis-server || return 1
  say "Starting Redis"
  answers "$redis_url" 2 || redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save '' --appendonly no \
    --dir "$PWD/.cache" --logfile "$PWD/.cache/redis.log" >/dev/null
  answers "$redis_url" 10
}

# A node named after localhost also starts where the machine's own name has no address.
start_rabbitmq() {
  on_debian rabbitmq-server rabbitmq-server || return 1
  say "Starting RabbitMQ"
  answers "$amqp_url" 2 || RABBITMQ_NODENAME=rabbit@localhost rabbitmq-server -detached >>.cache/rabbitmq.log 2>&1 </dev/null ||
    return 1
  answers "$amqp_url" 60
}

find_chromium() { on_debian chromium chromium; }

# want NAME URL-VARIABLE COMMAND: runs the command where nobody chose the address; notes what stays out of reach.
want() {
  local name=$1 variable=$2 command=$3
  if [[ -n $variable && $chosen == *" $variable "* ]]; then
    absent+=("$name: $variable is set, and nothing usable answers there ($(tail -n 1 .cache/reach.log))")
  elif ! "$command"; then
    absent+=("$name: install and start it (as root on Debian or Ubuntu this script does both)${variable:+, or set $variable}")
  fi
}

for name in $(silent "postgres=$postgres_url" "redis=$redis_url" "rabbitmq=$amqp_url"); do
  case $name in
    postgres) want PostgreSQL GATEKEEPER_TEST_POSTGRES_URL start_postgres ;;
    redis) want Redis GATEKEEPER_TEST_REDIS_URL start_redis ;;
    rabbitmq) want RabbitMQ GATEKEEPER_TEST_AMQP_URL start_rabbitmq ;;
  esac
done
have chromium || want Chromium '' find_chromium

if [ ${#absent[@]} -gt 0 ]; then
  die "the tests need services that are not to be had here:$(printf '\n  %s' "${absent[@]}")
  Tests that need none of them: make test-unit"
fi
say "PostgreSQL, Redis, RabbitMQ and Chromium are ready"
