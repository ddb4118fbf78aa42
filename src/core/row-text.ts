/** A row as short text for errors: as JSON, longs and bytes readable, cut. */

export const rowText = (row: unknown, charsMax: number): string => {
  const text = JSON.stringify(row, (_, v: unknown) =>
    typeof v === "bigint" ? v.toString() : v instanceof Uint8Array ? Buffer.from(v).toString("base64") : v,
  );
  return text === undefined ? String(row) : text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
};
