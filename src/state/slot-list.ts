/** Growing lists of numbers in typed arrays. */
const FIRST_LENGTH = 64;

/** Slots of a table, or ids of keys. */
export class SlotList {
  data = new Int32Array(FIRST_LENGTH);
  length = 0;

  push(slot: number): void {
    if (this.length === this.data.length) {
      const bigger = new Int32Array(this.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    this.data[this.length++] = slot;
  }

  /** The list is not empty. */
  pop(): number {
    return this.data[--this.length]!;
  }

  /** Empties the list and gives its memory back. */
  release(): void {
    this.length = 0;
    if (this.data.length > FIRST_LENGTH) this.data = new Int32Array(FIRST_LENGTH);
  }
}

export class NumberList {
  data = new Float64Array(FIRST_LENGTH);
  length = 0;

  push(x: number): void {
    if (this.length === this.data.length) {
      const bigger = new Float64Array(this.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    this.data[this.length++] = x;
  }

  release(): void {
    this.length = 0;
    if (this.data.length > FIRST_LENGTH) this.data = new Float64Array(FIRST_LENGTH);
  }
}
