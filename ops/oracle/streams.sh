#!/bin/sh
# streams.sh IN.json OUT.json: what Spark does with the streaming cases of IN, compiled and run on pyspark's jars.
set -eu
here="$(cd "$(dirname "$0")" && pwd)"
jars="$(echo "$here"/.work/venv/lib/python3*/site-packages/pyspark/jars)"
mkdir -p "$here/.work/classes"
javac -nowarn -cp "$jars/*" -d "$here/.work/classes" "$here/Streams.java"
opens=""
for p in java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.util java.util.concurrent \
  java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar; do
  opens="$opens --add-opens=java.base/$p=ALL-UNNAMED"
done
# shellcheck disable=SC2086
exec java -Xmx2g -XX:+UseSerialGC -Duser.timezone=UTC $opens -Dstreams.work="$here/.work" \
  -cp "$here/.work/classes:$jars/*" Streams "$1" "$2" 2> "$here/.work/streams.log"
