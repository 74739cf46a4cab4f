# shellcheck shell=bash
# What the set-up scripts share. Sourced, never run.

say() { printf '==> %s\n' "$*"; }

# Exit 4 is the project's code for "the machine lacks something".
die() { printf 'error: %s\n' "$*" >&2; exit 4; }

have() { command -v "$1" >/dev/null 2>&1; }

can_apt() { [ "$(id -u)" -eq 0 ] && have apt-get; }

# Debian's packages, quietly; what apt-get said is shown only when it failed.
apt_install() {
  say "Installing with apt-get: $*"
  mkdir -p .cache
  if ! { apt_get install "$@" || { apt_get update && apt_get install "$@"; }; } >.cache/apt.log 2>&1 </dev/null; then
    tail -n 20 .cache/apt.log >&2
    die "apt-get could not install $*: see .cache/apt.log"
  fi
}

apt_get() {
  case $1 in
    update) apt-get -qq update ;;
    *) DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends "$@" ;;
  esac
}
