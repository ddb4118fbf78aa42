/** What one call of user code changed, to be taken back when it throws. U1: between `begin` and `end` every change of state is noted with its opposite. */
export class UndoLog {
  #steps: (() => void)[] | undefined;

  begin(): void {
    this.#steps = [];
  }

  /** Notes how to take back the change about to be made. */
  note(back: () => void): void {
    this.#steps?.push(back);
  }

  rollBack(): void {
    const steps = this.#steps ?? [];
    // Taking back changes state too, and that is not to be noted.
    this.#steps = undefined;
    for (const back of steps.reverse()) back();
  }

  end(): void {
    this.#steps = undefined;
  }
}
