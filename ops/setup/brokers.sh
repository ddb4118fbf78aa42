#!/usr/bin/env bash
# Finds the NATS servers that the tests run on, and installs what is missing; each step says in one line what it did.
#   first:  `nats-server` on PATH, else Debian's package (as root or by sudo), else `go install` into .tools/;
#           with none of them the script ends with the line that says what to install.
#   second: a current server beside it, since both versions are tested; where it cannot be had, a line says why.
set -euo pipefail
cd "$(dirname "$0")/../.."

current=2.15.2
built="$PWD/.tools/nats-2.15/nats-server"
log="$PWD/.tools/brokers.log"
mkdir -p .tools
PATH="$PATH:/usr/sbin:/usr/local/go/bin"

say() { echo "broker: $*"; }
version() { "$1" --version | sed 's/.*v\([0-9.]*\).*/\1/'; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_be_root() {
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# Debian's package. Prints why when it cannot.
install_package() {
  if ! command -v apt-get >/dev/null; then
    say "no Debian package: apt-get is not here"
    return 1
  fi
  if ! can_be_root; then
    say "no Debian package: neither root nor sudo without a password"
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  if as_root apt-get install -y -q nats-server >"$log" 2>&1 ||
    { as_root apt-get update -q >>"$log" 2>&1 && as_root apt-get install -y -q nats-server >>"$log" 2>&1; }; then
    # The package may start a server of its own on 4222; the tests use none but their own.
    as_root systemctl disable --now nats-server >>"$log" 2>&1 || true
    say "installed Debian's nats-server $(version "$(command -v nats-server)")"
    return 0
  fi
  say "no Debian package: apt-get failed, see .tools/brokers.log"
  return 1
}

# The current server, built from its Go module. Prints why when it cannot.
build_current() {
  if ! command -v go >/dev/null; then
    say "nats-server $current not built: go is not on PATH"
    return 1
  fi
  say "building nats-server $current with go (about a minute, once)"
  if GOBIN="$(dirname "$built")" CGO_ENABLED=0 go install "github.com/nats-io/nats-server/v2@v$current" >"$log" 2>&1; then
    say "built nats-server $(version "$built") into .tools/nats-2.15"
    return 0
  fi
  say "nats-server $current not built: go install failed, see .tools/brokers.log"
  return 1
}

first=$(command -v nats-server || true)
if [ -n "$first" ]; then
  say "found nats-server $(version "$first") at $first"
elif install_package; then
  first=$(command -v nats-server)
fi

if [ -x "$built" ]; then
  say "found nats-server $(version "$built") at .tools/nats-2.15"
elif [ -n "$first" ] && [ "$(version "$first")" = "$current" ]; then
  say "nats-server $current is the one on PATH; an older one is not looked for"
elif ! build_current && [ -z "$first" ]; then
  say "none. Install the Debian package nats-server, or Go 1.25 or newer, or put nats-server 2.9 or newer on PATH"
  exit 1
elif [ ! -x "$built" ]; then
  say "skipped: nats-server $current, the tests run on $(version "$first") alone"
fi
