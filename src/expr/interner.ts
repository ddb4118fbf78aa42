/** Builds the dictionary of a string vector. */
export class Interner {
  readonly dictionary: string[] = [];
  readonly #ids = new Map<string, number>();

  id(s: string): number {
    let id = this.#ids.get(s);
    if (id === undefined) {
      id = this.dictionary.length;
      this.dictionary.push(s);
      this.#ids.set(s, id);
    }
    return id;
  }
}
