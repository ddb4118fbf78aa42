/** Channel and url of a bid: the deterministic extension of Beam's generator (reference/nexmark.md, section 2.5). */
import { JavaRandom } from "./random.ts";

export const COLD_LINKS = 10_000;
const COLD_SEED = 1_000_000;
const HOT_SEED = 2_000_000;
const HOT_CHANNELS = ["Google", "Facebook", "Baidu", "Apple"];

/** nextString(5) with '_' for ' '; an underscore is not trimmed. */
const word = (random: JavaRandom): string => {
  const length = 3 + random.below(2);
  let out = "";
  for (let i = 0; i < length; i++)
    out += random.below(13) === 0 ? "_" : String.fromCharCode(97 + random.below(26));
  return out;
};

const page = (random: JavaRandom): string =>
  `https://www.nexmark.com/${word(random)}/${word(random)}/${word(random)}/item.htm?query=1`;

const reversedBits = (k: number): number => {
  let out = 0;
  for (let i = 0; i < 32; i++) out |= ((k >>> i) & 1) << (31 - i);
  return out;
};

const coldUrl = (k: number): string => {
  const random = new JavaRandom().seed(COLD_SEED + k);
  const url = page(random);
  return random.below(10) > 0 ? `${url}&channel_id=${Math.abs(reversedBits(k))}` : url;
};

/** `"channel":…,"url":…` of the four hot links, then of the cold ones, as bytes of JSON without the braces. */
export const linkFields = (): readonly Uint8Array[] => [
  ...HOT_CHANNELS.map((channel, i) =>
    Buffer.from(`"channel":"${channel}","url":"${page(new JavaRandom().seed(HOT_SEED + i))}"`, "latin1"),
  ),
  ...Array.from({ length: COLD_LINKS }, (_, k) =>
    Buffer.from(`"channel":"channel-${k}","url":"${coldUrl(k)}"`, "latin1"),
  ),
];

/** Index into `linkFields` of a bid's link: hot with chance 1/2. Draws from the event's own generator, after all else. */
export const drawLink = (random: JavaRandom): number =>
  random.below(2) > 0 ? random.below(HOT_CHANNELS.length) : HOT_CHANNELS.length + random.below(COLD_LINKS);
