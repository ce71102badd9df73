import { ErrorCode } from '../base/errors.ts';
import type { ControllerChannel } from './controller-channel.ts';

/** When so much of a block is used, the next one is asked for. */
const PREFETCH_FRACTION = 0.9;
/** Requests that may wait for a block at once. */
const MAX_WAITING = 10_000;

/** `errorCode` is `NONE` and `producerId` an id that nobody else gets, or `producerId` is -1. */
export type ProducerIdCallback = (errorCode: ErrorCode, producerId: number) => void;

/** Gives out producer ids from blocks that the controller allocates to this broker. An id is never given twice, over all brokers and restarts. */
export class ProducerIds {
  readonly #brokerId: number;
  readonly #brokerEpoch: () => number;
  readonly #channel: ControllerChannel;
  readonly #waiting: ProducerIdCallback[] = [];
  #next = 0;
  #end = 0;
  #prefetchAt = 0;
  #following: { readonly start: number; readonly length: number } | null = null;
  #asking = false;

  constructor(brokerId: number, brokerEpoch: () => number, channel: ControllerChannel) {
    this.#brokerId = brokerId;
    this.#brokerEpoch = brokerEpoch;
    this.#channel = channel;
  }

  /** Gives one id: at once, or when the controller has answered. */
  allocate(done: ProducerIdCallback): void {
    if (this.#next >= this.#end && this.#following !== null) this.#open(this.#following);
    if (this.#next < this.#end) {
      done(ErrorCode.NONE, this.#next++);
      if (this.#next >= this.#prefetchAt && this.#following === null) this.#ask();
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      done(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1);
      return;
    }
    this.#waiting.push(done);
    this.#ask();
  }

  #open(block: { readonly start: number; readonly length: number }): void {
    this.#following = null;
    this.#next = block.start;
    this.#end = block.start + block.length;
    this.#prefetchAt = block.start + Math.floor(block.length * PREFETCH_FRACTION);
  }

  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    const request = { brokerId: this.#brokerId, brokerEpoch: this.#brokerEpoch() };
    this.#channel.allocateProducerIds(request, (errorCode, response) => {
      this.#asking = false;
      const code = response?.errorCode ?? errorCode;
      if (code === ErrorCode.NONE && response !== null) {
        this.#following = { start: response.producerIdStart, length: response.producerIdLen };
      }
      this.#serveWaiting();
    });
  }

  #serveWaiting(): void {
    for (const done of this.#waiting.splice(0)) {
      if (this.#next >= this.#end && this.#following === null)
        done(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1);
      else this.allocate(done);
    }
  }
}
