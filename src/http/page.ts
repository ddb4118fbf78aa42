/** The page at `/`: the queries of this node, refreshed by itself. One document, nothing loaded from elsewhere; text goes in as text, never as markup. */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Millrace</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
  body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
  h1 { font-size: 1.3rem; } h1 small { font-weight: normal; opacity: .7; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #8884; white-space: nowrap; }
  td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
  tr[data-query] { cursor: pointer; }
  .failed { color: #c33; } .stopped { opacity: .6; }
  pre { overflow-x: auto; padding: 1rem; background: #8881; }
  a { color: inherit; }
</style>
</head>
<body>
<h1>Millrace <small id="state">connecting…</small></h1>
<div class="scroll"><table>
  <thead><tr><th>query</th><th>session</th><th>status</th><th class="number">epoch</th><th class="number">rows in</th>
  <th class="number">rows/s</th><th class="number">rows out</th><th class="number">state rows</th><th class="number">epoch ms</th><th>watermark</th></tr></thead>
  <tbody id="queries"></tbody>
</table></div>
<pre id="plan" hidden></pre>
<p><a href="/metrics">metrics</a> · <a href="/api/queries">api</a> · <a href="/readyz">readiness</a></p>
<script>
"use strict";
const el = (id) => document.getElementById(id);
const cell = (row, text, number) => {
  const td = row.insertCell();
  td.textContent = text ?? "";
  if (number) td.className = "number";
  return td;
};
const total = (list, key) => list.reduce((n, each) => n + (each[key] ?? 0), 0);
async function showPlan(id) {
  const answer = await fetch("/api/queries/" + encodeURIComponent(id) + "/plan");
  el("plan").textContent = (await answer.json()).plan ?? "";
  el("plan").hidden = false;
}
function show(queries) {
  const body = el("queries");
  body.replaceChildren();
  for (const q of queries) {
    const p = q.lastProgress;
    const row = body.insertRow();
    row.dataset.query = q.id;
    row.className = q.exception ? "failed" : q.isActive ? "" : "stopped";
    row.addEventListener("click", () => showPlan(q.id));
    cell(row, q.name);
    cell(row, q.session);
    cell(row, q.exception ? q.exception.message : q.status.message);
    cell(row, p && p.batchId + 1, true);
    cell(row, p && p.numInputRows, true);
    cell(row, p && p.processedRowsPerSecond, true);
    cell(row, p && p.sink.numOutputRows, true);
    cell(row, p && total(p.stateOperators, "numRowsTotal"), true);
    cell(row, p && p.batchDuration, true);
    cell(row, p && p.eventTime.watermark);
  }
}
async function refresh() {
  try {
    const answer = await fetch("/api/queries");
    show(await answer.json());
    el("state").textContent = new Date().toLocaleTimeString();
  } catch {
    el("state").textContent = "this node does not answer";
  }
  setTimeout(refresh, 1000);
}
refresh();
</script>
</body>
</html>
`;
