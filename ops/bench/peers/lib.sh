# shellcheck shell=bash
# Functions of run.sh and latency.sh (sourced, in this folder); n, LOG and others are theirs.
need() { [ -e "$1" ] || { echo "run ./setup.sh $2 first" >&2; exit 1; }; }
# data N: make the event set once; D = its folder
data() { D=.work/data/n$1; [ -f "$D/meta.json" ] || node data.mjs "$1" "$D" >> "$LOG"; }
# warm: WD = folder of the warm-up set, empty for none
# shellcheck disable=SC2034 # WD is read by the caller
warm() { local d=$D; WD=; if [ "${WARM_EVENTS:-400000}" != 0 ]; then data "${WARM_EVENTS:-400000}"; WD=$D; D=$d; fi; }
# result: pass on the JSON line; without one, show the end of the log and fail
result() { grep -m1 '^{' || { echo "no result; end of $LOG:" >&2; tail -n 8 "$LOG" >&2; return 1; }; }
cpu_of() { awk '{ sub(/.*\) /, ""); print ($12 + $13) / 100 }' "/proc/$1/stat"; }
peak_of() { awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$1/status"; }
end_pid() { kill -9 "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }

flink() { (flink_exec "$@"); }
flink_exec() { # exec, so that in the background $! is the JVM
  exec java -Xmx4g -XX:MaxDirectMemorySize=2g -Dguarantee="${GUARANTEE:-alo}" -Dorg.slf4j.simpleLogger.defaultLogLevel=error \
    --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.time=ALL-UNNAMED \
    --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED -cp ".work/flink/classes:.work/flink/lib/*" FlinkBench "$@"
}

K=.work/kafka; KCP="$K/classes:$K/lib/*"
ktool() { java -Xmx1g -cp "$KCP" Tool "$@" 2>> "$LOG"; }
# broker: use the running one, or start one and stop it when the script ends
broker() { ./kafka-broker.sh status > /dev/null || { ./kafka-broker.sh start >> "$LOG" 2>&1 || { tail -n 8 "$LOG" >&2; exit 1; }; trap './kafka-broker.sh stop >> "$LOG"' EXIT; }; BROKER=$(cat $K/broker.pid); }
# kafka_count: from JVM launch to the last committed count seen by a reader
# shellcheck disable=SC2154 # n is the caller's
kafka_count() {
  local topic=events-$n bids id out t0 app b0 b1 cpu peak r v guarantee=${GUARANTEE:-eos} commit=${COMMIT_MS:-100} cache=${CACHE_BYTES:--1}
  broker; v=$(ktool version)
  bids=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).bid' "$D/meta.json")
  if [ "$(ktool size "$topic")" != "$n" ]; then ktool delete "$topic"; sleep 1; ktool create "$topic"; ktool load "$D/events.jsonl" "$n" "$topic" >> "$LOG"; fi
  id=count-$(date +%s%N); out=out-$id; ktool create "$out"
  b0=$(cpu_of "$BROKER"); t0=$(date +%s%3N)
  java -Xmx2g -cp "$KCP" App count "$guarantee" "$commit" "$cache" "$topic" "$out" "$id" "$K/state-$id" >> "$LOG" 2>&1 & app=$!
  r=$(ktool count "$out" "$bids" "$t0" "${MAX_SECONDS:-300}")
  b1=$(cpu_of "$BROKER"); cpu=$(cpu_of $app); peak=$(peak_of $app); end_pid $app; rm -rf "$K/state-$id"
  ktool delete "$out" "$id-counts-changelog"
  node -e 'const [r,v,n,cpu,peak,b0,b1,bp,g,cm,ca]=process.argv.slice(1), o=JSON.parse(r), s=o.ms/1000;
    if(!o.exact){ console.error("incomplete: "+r); process.exit(1); }
    console.log(JSON.stringify({peer:"kafka-streams",version:v,query:"count",events:+n,seconds:s,eventsPerSecond:Math.round(n/s),cpuSeconds:+cpu,peakRssMb:+peak,rowsOut:o.records,config:{guarantee:g,commitMs:+cm,cacheBytes:+ca,threads:2,partitions:2,keys:o.keys,sumExact:o.exact,notIncreasing:o.notIncreasing,firstOutputSeconds:o.firstOutputMs/1000,brokerCpuSeconds:+(b1-b0).toFixed(2),brokerPeakRssMb:+bp}}))' \
    "$r" "$v" "$n" "$cpu" "$peak" "$b0" "$b1" "$(peak_of "$BROKER")" "$guarantee" "$commit" "$cache"
}

nats_start() {
  local bin; bin=$(command -v nats-server || find ../../../.tools -type f -name nats-server 2>/dev/null | head -1)
  [ -n "$bin" ] || { echo "no nats-server: make brokers" >&2; exit 1; }; NATS_DIR=$PWD/.work/nats/run; rm -rf "$NATS_DIR"; mkdir -p "$NATS_DIR"
  printf 'port: 19422\nhost: 127.0.0.1\njetstream { store_dir: "%s/js", max_mem: 1G, max_file: 20G }\nmax_payload: 1MB\n' "$NATS_DIR" > "$NATS_DIR/server.conf"
  "$bin" -c "$NATS_DIR/server.conf" -l "$NATS_DIR/server.log" & NATS=$!; sleep 1
  [ -d /proc/$NATS ] || { echo "nats-server did not start" >&2; tail -n 5 "$NATS_DIR/server.log" >&2; exit 1; }
}
nats_stop() { kill "$NATS" 2>/dev/null || true; wait "$NATS" 2>/dev/null || true; rm -rf "$NATS_DIR"; }
nats_bench() { node nats/bench.mjs "$1" "$2" "$D/events.jsonl" "$n" "$NATS"; }
