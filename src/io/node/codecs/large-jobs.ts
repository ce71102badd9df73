/** Most large jobs of all codecs that are worked on at a time, in threads or in turns of the loop: the threads are shared with other work of Node, and each turn delays everybody. */
export const MAX_LARGE_JOBS = 2;

/** Begins a job; it calls `ended` once, inline or later. */
type Job = (ended: () => void) => void;

/** Lets a few jobs run and the others wait for their turn, in order. How many may wait is up to the callers: a partition asks for one at a time. */
export class LargeJobs {
  readonly #max: number;
  readonly #waiting: Job[] = [];
  #running = 0;
  #starting = false;

  constructor(max: number) {
    this.#max = max;
  }

  run(job: Job): void {
    this.#waiting.push(job);
    this.#next();
  }

  #next(): void {
    // A job that ends inline leaves the rest to the loop that began it.
    if (this.#starting) return;
    this.#starting = true;
    while (this.#running < this.#max) {
      const job = this.#waiting.shift();
      if (job === undefined) break;
      this.#running++;
      job(() => {
        this.#running--;
        this.#next();
      });
    }
    this.#starting = false;
  }
}
