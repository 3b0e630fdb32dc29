# Shared by the commands in this folder; sourced, never run.
# shellcheck shell=bash

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STAMPS=$ROOT/node_modules/.cache/keywright
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
# The command gets a process group of its own, so that a signal to this shell stops it together with what it started.
quietly() {
  local what=$1 log=$2 start=$SECONDS told=$SECONDS status=0 job
  shift 2
  say "$what (output: $log)"
  mkdir -p "$(dirname "$log")"
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  job=$!
  set +m
  # shellcheck disable=SC2064 # the job of this call, not of a later one
  trap "stop_job $job 130" INT
  # shellcheck disable=SC2064
  trap "stop_job $job 143" TERM HUP
  while kill -0 "$job" 2>/dev/null; do
    sleep 0.2
    if [ $((SECONDS - told)) -ge 5 ]; then
      told=$SECONDS
      printf '    %ss  %s: %s\n' "$((SECONDS - start))" "$(basename "$log" .log)" \
        "$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c 1-90)" >&2
    fi
  done
  wait "$job" || status=$?
  trap - INT TERM HUP
  if [ "$status" != 0 ]; then
    tail -n 30 "$log" >&2
  fi
  return "$status"
}

# stop_job PID STATUS: ends the process group of a command that quietly runs, then this shell.
stop_job() {
  trap '' INT TERM HUP
  kill -TERM -- "-$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  printf 'stopped\n' >&2
  exit "$2"
}

# exclusively PATH: waits until no other command holds the lock on PATH; the lock ends with this shell and its children.
exclusively() {
  have flock || return 0
  exec 9<"$1"
  flock -n 9 && return
  say "another command is at work on $1; waiting for it"
  flock 9
}

# digest PATH...: one hash over the names and contents of these files and of all files in these folders.
digest() {
  (cd "$ROOT" && { find "$@" -type f -print0 2>/dev/null || true; } | LC_ALL=C sort -z | xargs -0 -r sha256sum |
    sha256sum | cut -c 1-16)
}

# A stamp remembers for which inputs a step was finished. It is written last and removed first, so a step that was
# interrupted has none.
stamped() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
unstamp() { rm -f "$STAMPS/$1"; }
stamp() { mkdir -p "$STAMPS" && printf '%s\n' "$2" >"$STAMPS/$1"; }

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
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  # Who runs `npm install` somewhere does not expect that a dependency changes the system.
  [ "${npm_lifecycle_event:-}" != install ] || fail "these tools are missing: ${missing[*]}" \
    "Install them with your package manager, then run npm again."
  have apt-get || fail "these tools are missing: ${missing[*]}, and this system has no apt-get" \
    "Install them with your package manager, then run this command again."
  if [ "$(id -u)" != 0 ]; then
    # Asked for here, because the command below has no terminal to ask on.
    { have sudo && sudo -v; } || fail "root rights are needed to install: ${missing[*]}" \
      "Run as root: apt-get update && apt-get install -y ${missing[*]}" "Then run this command again."
  fi
  quietly "installing Debian packages: ${missing[*]}" "$CACHE/log/apt.log" install_packages "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]} (its last lines are above)" \
      "Check the network and /etc/apt/sources.list, then run this command again."
}

install_packages() {
  # Two checkouts may get here at the same time: the second one waits for apt's locks.
  (
    exclusively "$CACHE/log"
    as_root apt-get -o DPkg::Lock::Timeout=300 update -q || return
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends "$@"
  )
}

# require_node: fails unless a Node.js that Keywright runs on is there, with npm.
require_node() {
  local wanted version
  wanted=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' "$ROOT/package.json")
  local how=("Install the current LTS release from https://nodejs.org/en/download (Debian's own package is too old)."
    "Then run this command again.")
  have node || fail "Node.js $wanted or newer is needed, and there is no 'node' on the PATH" "${how[@]}"
  version=$(node -p process.versions.node) || fail "'node' on the PATH does not run: $(command -v node)" "${how[@]}"
  [ "$(printf '%s\n' "$wanted" "$version" | sort -V | head -n 1)" = "$wanted" ] ||
    fail "Node.js $wanted or newer is needed; $(command -v node) is $version" "${how[@]}"
  have npm || fail "'npm' is missing: it comes with Node.js, but this installation ($(command -v node)) has none" "${how[@]}"
}

# use_installed_headers: makes node-gyp compile against the headers that came with the running Node.js, where they are
# installed; fetching others needs the download site of Node.js.
use_installed_headers() {
  local prefix
  prefix=$(dirname "$(dirname "$(node -p 'fs.realpathSync(process.execPath)')")")
  if [ -f "$prefix/include/node/node.h" ]; then export npm_config_nodedir=$prefix; fi
}
