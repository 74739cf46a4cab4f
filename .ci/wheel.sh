#!/usr/bin/env bash
# Build the wheel with the request path compiled, into dist/, and lay it out in .cache/compiled for those that measure
# or test it. `wheel.sh` does nothing where that was built from the same files before.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

laid=.cache/compiled
made_of=$(cat pyproject.toml .ci/compile.py $(find gatekeeper migrations dashboards -type f -name '*.py' | LC_ALL=C sort) | sha256sum)
[ "$(cat $laid/.made-of 2>/dev/null)" = "$made_of" ] && { say "The wheel in dist/ is built from these files"; exit 0; }

have "${CC:-cc}" || { can_apt && apt_install gcc libc6-dev; } ||
  die "a C compiler is needed (Debian, Ubuntu: apt-get install gcc libc6-dev); without one, run gatekeeper from source"
headers=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("include"))')
[ -f "$headers/Python.h" ] || { can_apt && apt_install python3-dev; } || true
[ -f "$headers/Python.h" ] || die "Python's headers are needed in $headers (Debian, Ubuntu: apt-get install python3-dev)"

say "Compiling the gateway's request path (about a minute)"
rm -rf $laid
mkdir -p $laid dist
rm -f dist/llm_gatekeeper-*.whl
if ! HATCH_BUILD_HOOK_ENABLE_CUSTOM=true .venv/bin/python -m pip wheel --quiet --disable-pip-version-check \
    --no-deps --no-build-isolation -w dist . >.cache/wheel.log 2>&1; then
  grep -E 'error' .cache/wheel.log | head -n 20 >&2 || tail -n 20 .cache/wheel.log >&2
  die "the wheel could not be built: see .cache/wheel.log"
fi
.venv/bin/python -m zipfile -e dist/llm_gatekeeper-*.whl $laid
echo "$made_of" >$laid/.made-of
say "Built $(ls dist/llm_gatekeeper-*.whl)"
