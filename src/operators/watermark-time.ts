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
  for (let i = 0; i < n; i++) times[i] = nulls?.[i] === 1 ? Infinity : timeOf(data[i] as Value, form);
  return times;
};

/** Marks the rows that are not late: 1 where time > watermark. Undefined when none is late (the usual case). */
export const notLate = (
  v: Vector,
  n: number,
  form: EventTimeForm,
  watermarkMs: number,
): Uint8Array | undefined => {
  let mask: Uint8Array | undefined;
  const { data, nulls } = v;
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
