#!/usr/bin/env bash
# setup.sh [spark|flink|kafka|bytewax|millrace|all]...   (default: all)   installs into ./.work ; run it again at will
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p .work/tmp .work/logs

venv() { [ -x .work/venv/bin/python ] || python3 -m venv .work/venv; }

# maven_peer NAME SOURCES... : jars of NAME/pom.xml into .work/NAME/lib, classes of NAME/*.java into .work/NAME/classes
maven_peer() {
  local dir=.work/$1 sum; mkdir -p "$dir"
  sum=$(sha256sum "$1/pom.xml" | cut -c1-16)
  if [ "$(cat "$dir/lib.stamp" 2>/dev/null)" != "$sum" ]; then
    rm -rf "${dir:?}/lib"
    mvn -q -B -f "$1/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/$dir/lib"
    echo "$sum" > "$dir/lib.stamp"
  fi
  rm -rf "$dir/classes"; mkdir -p "$dir/classes"
  javac -nowarn -d "$dir/classes" -cp "$dir/lib/*" "$1"/*.java
}

setup_spark() { venv; .work/venv/bin/pip install -q 'pyspark==4.3.0'; }
setup_bytewax() { venv; .work/venv/bin/pip install -q 'bytewax==0.21.1' 'orjson==3.13.0'; }
setup_flink() {
  maven_peer flink
  mkdir -p .work/flink/classes/META-INF/services
  # shellcheck disable=SC2016 # the name of a nested class
  echo 'RowCounter$Factory' > .work/flink/classes/META-INF/services/org.apache.flink.metrics.reporter.MetricReporterFactory
}
setup_kafka() { maven_peer kafka; }
# Ours: dist/ is what is measured.
setup_millrace() { (cd ../../.. && make --no-print-directory build); }

[ $# -gt 0 ] || set -- all
for p in "$@"; do
  case $p in
    all) for x in spark flink kafka bytewax millrace; do "setup_$x"; echo "ready: $x"; done ;;
    spark|flink|kafka|bytewax|millrace) "setup_$p"; echo "ready: $p" ;;
    *) echo "usage: setup.sh [spark|flink|kafka|bytewax|millrace|all]..." >&2; exit 2 ;;
  esac
done
