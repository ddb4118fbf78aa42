/** Floating point numbers as Java prints them. */

/** Java's layout of shortest digits: plain within [1e-3, 1e7), else `d.dE±n`. */
const javaLayout = (x: number, shortest: string): string => {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "Infinity" : "-Infinity";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const sign = x < 0 ? "-" : "";
  const [mantissa, exponentText] = shortest.replace(/^-/, "").toLowerCase().split("e") as [
    string,
    string | undefined,
  ];
  const [whole, fraction = ""] = mantissa.split(".") as [string, string | undefined];
  const raw = whole + fraction;
  const leading = raw.length - raw.replace(/^0+/, "").length;
  const digits = raw.slice(leading).replace(/0+$/, "") || "0";
  const exponent = Number(exponentText ?? 0) + whole.length - leading - 1;
  if (exponent >= -3 && exponent < 7) return sign + plain(digits, exponent);
  return `${sign}${digits[0]}.${digits.slice(1) || "0"}E${exponent}`;
};

const plain = (digits: string, exponent: number): string => {
  if (exponent < 0) return `0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${whole}.${digits.slice(exponent + 1) || "0"}`;
};

/** The shortest digits that read back as the same double; of one digit alone Java looks for a nearer value of two. */
export const doubleText = (x: number): string => {
  const shortest = String(x);
  return javaLayout(x, /^-?\de/.test(shortest) ? x.toPrecision(2) : shortest);
};

/** The shortest text that reads back as the same float. */
export const floatText = (x: number): string => {
  if (!Number.isFinite(x)) return javaLayout(x, "");
  for (let p = 1; p < 10; p++) {
    const text = x.toPrecision(p);
    if (Math.fround(Number(text)) === x) return javaLayout(x, text);
  }
  return javaLayout(x, String(x));
};
