/** Calls that are due in a later turn, in the order they were asked for. */
export class Later {
  #calls: (() => void)[] = [];

  call(callback: () => void): void {
    if (this.#calls.push(callback) === 1) setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const calls = this.#calls;
    this.#calls = [];
    for (const call of calls) call();
  };
}
