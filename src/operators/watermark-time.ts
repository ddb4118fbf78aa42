/** Event times of rows, as operators compare them with watermarks: a window counts as its end, null as "never". */
import type { Value } from "../core/value.ts";
import type { Vector } from "../core/vector.ts";

/** How a column holds event time: "column": a timestamp in ms; "window": a struct {start, end}. */
export type EventTimeForm = "column" | "window";

/** Time of a value in ms; Infinity for null, so that it is neither late nor closed before the end of input. */
export const timeOf = (value: Value, form: EventTimeForm): number => {
  if (value === null) return Infinity;
  if (form === "column") return Number(value);
  return ((value as readonly Value[])[1] as number | null) ?? Infinity;
};

/** Times of the first `n` rows of a dense vector. */
export const timesOf = (v: Vector, n: number, form: EventTimeForm): Float64Array => {
  const times = new Float64Array(n);
  const { data, nulls } = v;
  // The usual layout on its own: times that pass a call as values are boxed.
  if (form === "column" && v.layout === "f64") times.set(v.data.subarray(0, n));
  else for (let i = 0; i < n; i++) times[i] = timeOf(data[i] as Value, form);
  if (nulls !== undefined) for (let i = 0; i < n; i++) if (nulls[i] === 1) times[i] = Infinity;
  return times;
};

/** Marks the rows that are not late: 1 where time > watermark. Undefined when none is late (the usual case). */
export const notLate = (
  v: Vector,
  n: number,
  form: EventTimeForm,
  watermarkMs: number,
): Uint8Array | undefined => {
  const { data, nulls } = v;
  if (form === "column" && v.layout === "f64") return notLateOf(v.data, nulls, n, watermarkMs);
  let mask: Uint8Array | undefined;
  let lastWindow: unknown;
  let lastTime = Infinity;
  for (let i = 0; i < n; i++) {
    if (nulls !== undefined && nulls[i] === 1) continue;
    const x = data[i] as Value;
    if (form === "column") lastTime = x as number;
    else if (x !== lastWindow) {
      lastWindow = x;
      lastTime = timeOf(x, form);
    }
    if (lastTime > watermarkMs) continue;
    mask ??= new Uint8Array(n).fill(1);
    mask[i] = 0;
  }
  return mask;
};

/** The same of times as they usually stand. */
const notLateOf = (
  times: Float64Array,
  nulls: Uint8Array | undefined,
  n: number,
  watermarkMs: number,
): Uint8Array | undefined => {
  let mask: Uint8Array | undefined;
  for (let i = 0; i < n; i++) {
    if (times[i]! > watermarkMs || (nulls !== undefined && nulls[i] === 1)) continue;
    mask ??= new Uint8Array(n).fill(1);
    mask[i] = 0;
  }
  return mask;
};
