const KEPT_LINES = 200;

/**
 * Everything that happened in a run, one line each: a running hash over all of them (two runs of a seed must agree in it), and the last ones as
 * text for whoever looks at a failure.
 */
export class Trace {
  readonly #last: string[] = [];
  readonly #print: ((line: string) => void) | null;
  #low = 0x811c9dc5;
  #high = 0xcbf29ce4;
  #lines = 0;

  /** @param print gets every line at once where it is given. */
  constructor(print: ((line: string) => void) | null = null) {
    this.#print = print;
  }

  /** Lines so far. */
  get lines(): number {
    return this.#lines;
  }

  /** Hash over all lines so far, 16 hex digits. */
  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0');
  }

  /** Adds what happened at a virtual time. */
  add(nowMs: number, what: string): void {
    const line = `${nowMs.toFixed(3).padStart(12)}  ${what}`;
    this.#lines++;
    this.#mix(line);
    this.#last.push(line);
    if (this.#last.length > KEPT_LINES) this.#last.shift();
    this.#print?.(line);
  }

  /** The last `count` lines, oldest first; at most 200 are kept. */
  last(count: number): readonly string[] {
    return this.#last.slice(-count);
  }

  /** Two FNV-1a lanes with different primes: enough to tell two runs apart. */
  #mix(line: string): void {
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      this.#low = Math.imul(this.#low ^ code, 0x01000193);
      this.#high = Math.imul(this.#high ^ code, 0x85ebca6b) ^ (this.#low >>> 13);
    }
  }
}
