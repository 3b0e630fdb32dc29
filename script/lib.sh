# Shared by the commands in this folder; sourced, never run.
# shellcheck shell=bash

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${KEYWRIGHT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/keywright}

# Progress goes to stderr, so that a command's stdout stays usable by other commands.
say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

# fail WHAT [WHAT TO DO ...]: ends the command with what could not be done and how to go on.
fail() {
  printf '\033[1;31mcannot go on:\033[0m %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    return 126
  fi
}

# quietly WHAT LOG COMMAND...: runs a long command with a line of progress every five seconds; its output goes to LOG.
quietly() {
  local what=$1 log=$2 start=$SECONDS
  shift 2
  say "$what (output: $log)"
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 &
  local pid=$! status=0
  while kill -0 "$pid" 2>/dev/null; do
    sleep 1
    if [ $(((SECONDS - start) % 5)) = 0 ]; then
      printf '    %ss  %s\n' "$((SECONDS - start))" "$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c 1-90)" >&2
    fi
  done
  wait "$pid" || status=$?
  if [ "$status" != 0 ]; then
    tail -n 30 "$log" >&2
  fi
  return "$status"
}

# packages COMMAND=PACKAGE ...: installs the Debian packages whose command (or file, when it starts with /) is missing.
packages() {
  local missing=() pair
  for pair in "$@"; do
    case "${pair%%=*}" in
      /*) [ -e "${pair%%=*}" ] || missing+=("${pair#*=}") ;;
      *) have "${pair%%=*}" || missing+=("${pair#*=}") ;;
    esac
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  have apt-get || fail "these tools are missing: ${missing[*]}, and this system has no apt-get" \
    "Install them with your package manager, then run this command again."
  quietly "installing Debian packages: ${missing[*]}" "$CACHE/log/apt.log" install_packages "${missing[@]}" || {
    [ "$(id -u)" = 0 ] || have sudo || fail "root rights are needed to install: ${missing[*]}" \
      "Run as root: apt-get update && apt-get install -y ${missing[*]}" "Then run this command again."
    fail "apt-get could not install: ${missing[*]} (its last lines are above)" \
      "Check the network and /etc/apt/sources.list, then run this command again."
  }
}

install_packages() {
  as_root apt-get update -q || return
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}
