/**
 * Ciphers and keyed hashes: aes_encrypt, aes_decrypt, try_aes_decrypt, hmac. C1: an encryption without an IV derives one from the key and the message (HMAC-SHA-256),
 * so that a replayed epoch writes the bytes it wrote before; Spark draws one at random. Equal messages under one key show as equal.
 */
import { createCipheriv, createDecipheriv, createHmac, type CipherGCM, type DecipherGCM } from "node:crypto";
import { BINARY, STRING } from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import type { FunctionDefinition } from "../function.ts";
import { binary, signature } from "../rules.ts";
import { failure, family, strict } from "./definition.ts";

const hash = family("hash");

interface Mode {
  readonly name: "GCM" | "CBC" | "ECB";
  readonly ivBytes: number;
}

const GCM_TAG_BYTES = 16;
const MODES: readonly (Mode & { readonly paddings: readonly string[] })[] = [
  { name: "GCM", ivBytes: 12, paddings: ["NONE", "DEFAULT"] },
  { name: "CBC", ivBytes: 16, paddings: ["PKCS", "DEFAULT"] },
  { name: "ECB", ivBytes: 0, paddings: ["PKCS", "DEFAULT"] },
];

const modeOf = (mode: string, padding: string): Mode => {
  const found = MODES.find(
    (m) => m.name === mode.toUpperCase() && m.paddings.includes(padding.toUpperCase()),
  );
  if (found === undefined)
    throw failure(
      "UNSUPPORTED_FEATURE.AES_MODE",
      `The feature is not supported: AES-${mode} with the padding ${padding} by the aes functions.`,
    );
  return found;
};

const invalid = (kind: string, why: string): ExecutionError =>
  failure(kind, `The value of parameter(s) in the aes functions is invalid: ${why}.`);

const checkKey = (key: Uint8Array): number => {
  if (![16, 24, 32].includes(key.length))
    throw invalid(
      "INVALID_PARAMETER_VALUE.AES_KEY_LENGTH",
      `expects a binary value with 16, 24 or 32 bytes, but got ${key.length}`,
    );
  return key.length * 8;
};

const unsupported = (kind: "IV" | "AAD", mode: Mode): ExecutionError =>
  failure(
    kind === "IV" ? "UNSUPPORTED_FEATURE.AES_MODE_IV" : "UNSUPPORTED_FEATURE.AES_MODE_AAD",
    `The feature is not supported: AES-${mode.name} does not take ${kind === "IV" ? "an initialization vector" : "additional authenticated data"}.`,
  );

const NO_BYTES = new Uint8Array();
type Encryption = [
  Uint8Array,
  Uint8Array,
  string | undefined,
  string | undefined,
  Uint8Array | undefined,
  Uint8Array | undefined,
];

const encrypt = ([input, key, modeName = "GCM", padding = "DEFAULT", iv, aad]: Encryption): Uint8Array => {
  const mode = modeOf(modeName, padding);
  const bits = checkKey(key);
  if (iv !== undefined && iv.length > 0) {
    if (mode.ivBytes === 0) throw unsupported("IV", mode);
    if (iv.length !== mode.ivBytes)
      throw invalid(
        "INVALID_PARAMETER_VALUE.AES_IV_LENGTH",
        `supports ${mode.ivBytes}-byte IVs for ${mode.name}, but got ${iv.length} bytes`,
      );
  }
  if (aad !== undefined && aad.length > 0 && mode.name !== "GCM") throw unsupported("AAD", mode);
  const extra = aad ?? NO_BYTES;
  const vector =
    iv !== undefined && iv.length > 0
      ? iv
      : createHmac("sha256", key).update(extra).update(input).digest().subarray(0, mode.ivBytes);
  const algorithm = `aes-${bits}-${mode.name.toLowerCase()}`;
  const cipher = createCipheriv(algorithm, key, mode.ivBytes === 0 ? null : vector);
  if (mode.name === "GCM") (cipher as CipherGCM).setAAD(extra);
  const body = [cipher.update(input), cipher.final()];
  const tag = mode.name === "GCM" ? (cipher as CipherGCM).getAuthTag() : NO_BYTES;
  return new Uint8Array(Buffer.concat([vector, ...body, tag]));
};

type Decryption = [Uint8Array, Uint8Array, string | undefined, string | undefined, Uint8Array | undefined];

const decrypt = ([input, key, modeName = "GCM", padding = "DEFAULT", aad]: Decryption): Uint8Array => {
  const mode = modeOf(modeName, padding);
  const bits = checkKey(key);
  const tagBytes = mode.name === "GCM" ? GCM_TAG_BYTES : 0;
  const wrong = (): ExecutionError =>
    invalid("INVALID_PARAMETER_VALUE.AES_CRYPTO_ERROR", "the input cannot be decrypted");
  if (input.length < mode.ivBytes + tagBytes) throw wrong();
  if (aad !== undefined && aad.length > 0 && mode.name !== "GCM") throw unsupported("AAD", mode);
  const vector = mode.ivBytes === 0 ? null : input.subarray(0, mode.ivBytes);
  const end = input.length - tagBytes;
  if (end === mode.ivBytes && mode.name !== "GCM") return NO_BYTES;
  const decipher = createDecipheriv(`aes-${bits}-${mode.name.toLowerCase()}`, key, vector);
  if (mode.name === "GCM") {
    (decipher as DecipherGCM).setAAD(aad ?? NO_BYTES);
    (decipher as DecipherGCM).setAuthTag(input.subarray(end));
  }
  try {
    return new Uint8Array(
      Buffer.concat([decipher.update(input.subarray(mode.ivBytes, end)), decipher.final()]),
    );
  } catch {
    throw wrong();
  }
};

const decryption = signature([binary, binary, STRING, STRING, binary], BINARY, { optional: 3 });

const ALGORITHMS = new Map(
  ["SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "MD5"].map((a) => [a.replace("-", ""), a]),
);

const hmac = (key: Uint8Array, message: Uint8Array, algorithm: string): Value => {
  const name = algorithm.toUpperCase().replace(/^SHA-/, "SHA");
  if (!ALGORITHMS.has(name))
    throw failure(
      "INVALID_PARAMETER_VALUE.HMAC_ALGORITHM",
      `The value of parameter(s) \`algorithm\` in \`hmac\` is invalid: expects one of ${[...ALGORITHMS.values()].join(", ")}, but got '${algorithm}'.`,
    );
  if (key.length === 0)
    throw failure(
      "INVALID_PARAMETER_VALUE.HMAC_CRYPTO_ERROR",
      "The value of parameter(s) `key` in `hmac` is invalid: the key is empty.",
    );
  return new Uint8Array(createHmac(name.toLowerCase(), key).update(message).digest());
};

export const CRYPTO_FUNCTIONS: readonly FunctionDefinition[] = [
  hash(
    "aes_encrypt(x, key[, mode[, padding[, iv[, aad]]]])",
    "Bytes encrypted by AES: GCM, CBC or ECB. Without an IV, one is derived from the key and the message.",
    signature([binary, binary, STRING, STRING, binary, binary], BINARY, { optional: 4 }),
    strict<Encryption>((args) => encrypt(args)),
    {
      examples: [
        ["base64(aes_encrypt('Spark SQL', '1234567890abcdef', 'ECB', 'PKCS'))", "3lmwu+Mw0H3fi5NDvcu9lg=="],
      ],
    },
  ),
  hash(
    "aes_decrypt(x, key[, mode[, padding[, aad]]])",
    "Bytes decrypted by AES.",
    decryption,
    strict<Decryption>((args) => decrypt(args)),
  ),
  hash(
    "try_aes_decrypt(x, key[, mode[, padding[, aad]]])",
    "aes_decrypt; null where it fails.",
    (args, site) => ({ ...decryption(args, site), nullable: true }),
    strict<Decryption>((args) => {
      try {
        return decrypt(args);
      } catch (e) {
        if (e instanceof ExecutionError) return null;
        throw e;
      }
    }),
  ),
  hash(
    "hmac(key, message[, algorithm])",
    "The keyed hash of a message: SHA-256 or another algorithm.",
    signature([binary, binary, STRING], BINARY, { optional: 1 }),
    strict<[Uint8Array, Uint8Array, string | undefined]>(([k, m, a]) => hmac(k, m, a ?? "SHA-256")),
  ),
];
