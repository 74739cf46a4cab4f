#!/usr/bin/env bash
# Run the tests. `test.sh unit`: those that need neither services nor vLLM nor the machine to themselves.
# `test.sh all`: every test but those of the next two; first those that can share the machine, side by side, then one
# by one the rest.
# `test.sh long`: those that take over a minute each, on real vLLM.
# `test.sh compiled`: the gateway's, on the wheel that wheel.sh built.
# `test.sh clients`: those that install clients of others first: libraries from PyPI and npm, load generators.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

export PATH=$PWD/.venv/bin:$PATH
pytest=(.venv/bin/python -m pytest -q -p no:cacheprovider)

case ${1:-} in
  unit) "${pytest[@]}" -n 2 -m "not services and not vllm and not browser and not serial and not clients" ;;
  all)
    if [ -z "${GATEKEEPER_TEST_POSTGRES_URL:-}" ] && [ -f .cache/services.env ]; then
      # shellcheck source=/dev/null
      . .cache/services.env
    fi
    failed=0
    say "Tests that can share the machine, two at a time"
    "${pytest[@]}" -n 2 -m "not serial and not vllm and not clients" || failed=1
    say "Training the tests' models, unless that was done before (about 2 minutes)"
    .venv/bin/python -m gatekeeper.demo.models baseline good over-refuses || failed=1
    say "Tests that need the machine to themselves, one at a time"
    "${pytest[@]}" --durations=12 -m "(serial or vllm) and not long and not clients" || failed=1
    exit $failed
    ;;
  compiled)
    export PYTHONPATH=$PWD/.cache/compiled
    .venv/bin/python -P -c 'from gatekeeper.gateway import app; assert app.__file__.endswith(".so"), app.__file__'
    # pytest itself, not `python -m pytest`, which would look for gatekeeper here first
    .venv/bin/pytest -q -p no:cacheprovider -n 2 -m "not serial" tests/{unit,property,integration}/gateway \
      tests/{unit,property}/captures tests/unit/adapters/test_spool.py
    ;;
  long) "${pytest[@]}" -m long ;;
  clients) "${pytest[@]}" -m clients ;;
  *) die "usage: .ci/test.sh unit|all|compiled|long|clients" ;;
esac
