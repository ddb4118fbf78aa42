#!/bin/sh
# record.sh IN.json OUT.json: what Spark does with the expressions, queries or scripts of IN. The log goes to .work/record.log.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
mkdir -p "$here/.work"
exec "$here/.work/venv/bin/python" "$here/record.py" "$1" "$2" 2> "$here/.work/record.log"
