/** Reads several things at a time and gives them in order. */

interface Sized {
  readonly bytes: number;
}

/**
 * Each of `items` with what `read` gives for it. So many are under way, or wait to be taken, as have `bytesMax` bytes together; one at least. Whoever stops
 * early waits for those under way; how they end does not matter then.
 */
export const readAhead = async function* <I extends Sized, T>(
  items: readonly I[],
  bytesMax: number,
  read: (item: I) => Promise<T>,
): AsyncGenerator<readonly [I, T], void> {
  const ahead: Promise<T>[] = [];
  let [next, bytes] = [0, 0];
  try {
    for (const item of items) {
      while (next < items.length && (ahead.length === 0 || bytes + items[next]!.bytes <= bytesMax)) {
        const found = read(items[next]!);
        // Seen when its turn comes.
        found.catch(() => {});
        ahead.push(found);
        bytes += items[next++]!.bytes;
      }
      yield [item, await ahead[0]!];
      void ahead.shift();
      bytes -= item.bytes;
    }
  } finally {
    await Promise.allSettled(ahead);
  }
};
