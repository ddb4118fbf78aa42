#!/usr/bin/env bash
# run.sh PEER QUERY [EVENTS] [--workers N]     one measured run, ONE JSON line on stdout (EVENTS: 2000000 unless given)
#   spark                 q0-q5 q6_win q7-q23 q7j q7m count       STATE=rocksdb|hdfs  WARM_EVENTS=400000 (0: cold)
#   flink, flink-rocksdb  q0-q5 q6_win q7-q23 count              FLINK_CONF="key=value;key=value"  WARM_EVENTS=400000  ROWS=1 (net rows instead of timing)
#   kafka-streams         count                                  GUARANTEE=eos|alo  COMMIT_MS=100  CACHE_BYTES=-1  MAX_SECONDS=300
#   bytewax, bytewax-2    q0 q1 q2 q5 q7 q7pre q8 count          WAIT=seconds a window waits
#   millrace              q0-q23 count   --workers 2  FLAGS="--checkpoint off"   (needs dist/: make build)
#   jsonparse             parse
#   nats-floor            pub-rows pub-promise-rows pull-rows push-rows pub-batch pull-batch push-batch
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
mkdir -p .work/tmp .work/logs .work/data
[ -n "${PEERS_LOCKED:-}" ] || PEERS_LOCKED=1 exec flock -o .work/lock bash run.sh "$@"
[ $# -ge 2 ] || { sed -n '2,10s/^# \{0,1\}//p' run.sh >&2; exit 2; }
peer=$1 query=$2 n=2000000 workers=1; shift 2
while [ $# -gt 0 ]; do
  case $1 in
    --workers) workers=$2; shift 2 ;;
    *[!0-9]*|'') echo "EVENTS must be a number: $1" >&2; exit 2 ;;
    *) n=$1; shift ;;
  esac
done
LOG=$PWD/.work/logs/$peer-$query.log; : > "$LOG"
. ./lib.sh

case $peer in
  spark)
    need .work/venv/bin/pyspark spark; data "$n"; warm; export PYTHONDONTWRITEBYTECODE=1
    .work/venv/bin/python spark/bench.py --query "$query" --events "$n" --src "$D/parts" ${WD:+--warm "$WD/parts"} --tmp .work/tmp --state "${STATE:-rocksdb}" 2>> "$LOG" | result ;;
  flink|flink-rocksdb)
    need .work/flink/classes flink; data "$n"; warm; T=$(mktemp -d "$PWD/.work/tmp/flinkXXXXXX"); trap 'rm -rf "$T"' EXIT
    backend=hashmap; [ "$peer" = flink ] || backend=rocksdb
    IFS=';' read -ra conf <<< "${FLINK_CONF:-}"; mode=bench; [ "${ROWS:-0}" = 0 ] || { mode=rows; WD=; }
    w=-; [ -z "$WD" ] || w=$PWD/$WD/rr
    flink "$mode" "$query" "$PWD/$D/rr" "$n" "$w" "$backend" "$T" ${conf[@]+"${conf[@]}"} 2>> "$LOG" | result ;;
  kafka-streams)
    [ "$query" = count ] || { echo "kafka-streams: only count" >&2; exit 2; }
    need .work/kafka/classes kafka; data "$n"; kafka_count | result ;;
  bytewax|bytewax-2)
    need .work/venv/bin/python bytewax; data "$n"
    if [ "$peer" = bytewax ]; then procs=1 in=$D/events.jsonl wait=4; else procs=2 in=$D/rr wait=4; case $query in q5|q7|q7pre|q8) wait=3600 ;; esac; fi
    .work/venv/bin/python bytewax/bench.py "$query" "$in" "$n" "$procs" "${WAIT:-$wait}" 2>> "$LOG" | result ;;
  millrace)
    need ../../../dist/src/cli/main.js millrace; data "$n"
    IFS=' ' read -ra flags <<< "${FLAGS:-}"
    node ../../../dist/src/cli/main.js bench nexmark --queries "$query" --events "$n" --workers "$workers" --partitions 2 --hash off --floor off \
      --data .work/data/millrace --json ${flags[@]+"${flags[@]}"} > .work/tmp/millrace.json 2>> "$LOG" || result < /dev/null
    node millrace.mjs "$D/meta.json" "$workers" < .work/tmp/millrace.json 2>> "$LOG" | result ;;
  jsonparse) data "$n"; node jsonparse.mjs "$D/events.jsonl" "$n" 2>> "$LOG" | result ;;
  nats-floor)
    data "$n"; nats_start; trap nats_stop EXIT
    step=${query%-*} kind=${query##*-}
    case $step in pull|push) nats_bench pub "$kind" >> "$LOG" 2>&1 ;; esac
    nats_bench "$step" "$kind" 2>> "$LOG" | result ;;
  *) echo "no peer $peer" >&2; exit 2 ;;
esac
