/** A node's monotonic clock: runs at a rate of its own and may jump ahead, as a suspended machine's does. */
export class NodeClock {
  #baseMs: number;
  #localMs = 0;
  #rate = 1;

  constructor(nowMs: number) {
    this.#baseMs = nowMs;
  }

  /** What the clock shows at a virtual time. */
  local(nowMs: number): number {
    return this.#localMs + (nowMs - this.#baseMs) * this.#rate;
  }

  /** When the clock shows a time, and a little later: no rounding makes it early. */
  virtualAt(localMs: number): number {
    return this.#baseMs + (localMs - this.#localMs) / this.#rate + 0.01;
  }

  setRate(nowMs: number, rate: number): void {
    this.#localMs = this.local(nowMs);
    this.#baseMs = nowMs;
    this.#rate = rate;
  }

  jump(byMs: number): void {
    this.#localMs += byMs;
  }
}
