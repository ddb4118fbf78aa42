/**
 * Builds the dictionary of a string vector: a string that comes again gets the id it has. Where nearly all strings are new ones, looking up costs more than it saves,
 * and every string gets an id of its own from then on.
 */
const JUDGED_AT = 256;
/** Strings of which at least this share are new are not looked up any more. */
const NEW_SHARE = 0.75;

export class Interner {
  readonly dictionary: string[] = [];
  #ids: Map<string, number> | undefined = new Map<string, number>();
  #asked = 0;

  id(s: string): number {
    const ids = this.#ids;
    if (ids === undefined) return this.dictionary.push(s) - 1;
    let id = ids.get(s);
    if (id === undefined) {
      id = this.dictionary.push(s) - 1;
      ids.set(s, id);
    }
    if (++this.#asked === JUDGED_AT && this.dictionary.length >= JUDGED_AT * NEW_SHARE) this.#ids = undefined;
    return id;
  }
}
