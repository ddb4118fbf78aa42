#!/usr/bin/env bash
# latency.sh PEER RATE SECONDS    Kafka topic -> JSON parse -> count per key (1,000 keys) -> Kafka topic, every update out; ONE JSON line with p50/p95/p99
#   kafka-streams          GUARANTEE=eos|alo (eos)  COMMIT_MS=100  CACHE_BYTES=0
#   flink, flink-rocksdb   GUARANTEE=alo|eos (alo)  FLINK_CONF="execution.checkpointing.interval=1 s"  (eos: outputs appear at checkpoints)
# The first SKIP seconds (default 10) are not counted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p .work/tmp .work/logs .work/data
[ -n "${PEERS_LOCKED:-}" ] || PEERS_LOCKED=1 exec flock -o .work/lock bash latency.sh "$@"
[ $# -eq 3 ] || { sed -n '2,5s/^# \{0,1\}//p' latency.sh >&2; exit 2; }
peer=$1 rate=$2 seconds=$3 skip=${SKIP:-10}
[ "$seconds" -gt "$skip" ] || { echo "SECONDS must be more than $skip" >&2; exit 2; }
LOG=$PWD/.work/logs/latency-$peer.log; : > "$LOG"
. ./lib.sh
need .work/kafka/classes kafka
app='' gen='' T=$(mktemp -d "$PWD/.work/tmp/latXXXXXX") started=''
finish() {
  if [ -n "$gen" ]; then end_pid "$gen"; fi
  if [ -n "$app" ]; then end_pid "$app"; fi
  if [ -n "$started" ]; then ./kafka-broker.sh stop >> "$LOG"; fi
  rm -rf "$T"
}
trap finish EXIT
./kafka-broker.sh status > /dev/null || { ./kafka-broker.sh start >> "$LOG" 2>&1 || { tail -n 8 "$LOG" >&2; exit 1; }; started=1; }
BROKER=$(cat $K/broker.pid); id=lat-$(date +%s%N); ktool create "in-$id" "out-$id"
case $peer in
  kafka-streams)
    v=$(ktool version) guarantee=${GUARANTEE:-eos} conf="commit ${COMMIT_MS:-100} ms, cache ${CACHE_BYTES:-0} bytes"
    java -Xmx2g -cp "$KCP" App latency "$guarantee" "${COMMIT_MS:-100}" "${CACHE_BYTES:-0}" "in-$id" "out-$id" "$id" "$T/state" >> "$LOG" 2>&1 & app=$! ;;
  flink|flink-rocksdb)
    need .work/flink/classes flink; backend=hashmap; [ "$peer" = flink ] || backend=rocksdb
    v=2.3.0 guarantee=${GUARANTEE:-alo} conf=${FLINK_CONF:-execution.checkpointing.interval=1 s}; IFS=';' read -ra extra <<< "$conf"
    GUARANTEE=$guarantee flink_exec latency "in-$id" "out-$id" 0 - "$backend" "$T" "${extra[@]}" >> "$LOG" 2>&1 & app=$! ;;
  *) echo "no latency run for $peer" >&2; exit 2 ;;
esac
sleep 5; [ -d "/proc/$app" ] || { tail -n 8 "$LOG" >&2; exit 1; }
ktool generate "in-$id" "$rate" $((seconds + 3)) 1000 > "$T/sent" & gen=$! # outlasts the reader, whose JVM starts a little later
lat=$(ktool latency "out-$id" "$seconds" "$skip"); wait "$gen"; gen=
[ -d "/proc/$app" ] || { echo "$peer ended early" >&2; tail -n 8 "$LOG" >&2; exit 1; }
printf '{"peer":"%s","version":"%s","rate":%s,"seconds":%s,"skippedSeconds":%s,%s,%s,"cpuSeconds":%s,"peakRssMb":%s,"config":{"guarantee":"%s","settings":"%s"}}\n' \
  "$peer" "$v" "$rate" "$seconds" "$skip" "$(cat "$T/sent")" "$lat" "$(cpu_of "$app")" "$(peak_of "$app")" "$guarantee" "$conf"
end_pid "$app"; app=; ktool delete "in-$id" "out-$id" "$id-counts-changelog"
