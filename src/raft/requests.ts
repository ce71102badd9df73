import type { RaftApiKey, Destination } from './raft-api.ts';
import type { RoleState } from './role-states.ts';

/** A request that is under way, with what its answer is read against. */
export interface SentRequest {
  readonly correlationId: number;
  readonly apiKey: RaftApiKey;
  readonly destination: Destination;
  readonly deadlineMs: number;
  /** Epoch, role, and end and generation of the log when it was sent. */
  readonly epoch: number;
  readonly role: RoleState;
  readonly logEndOffset: number;
  readonly logGeneration: number;
}

/**
 * The machine's connections: to each destination one request at a time, and none for a while after a failure. A request that is not answered in time is given up: its answer,
 * should it come, is not known any more.
 */
export class Requests {
  readonly #inFlight = new Map<string, SentRequest>();
  readonly #backoffUntilMs = new Map<string, number>();
  readonly #retryBackoffMs: number;

  constructor(retryBackoffMs: number) {
    this.#retryBackoffMs = retryBackoffMs;
  }

  /** True if a request may be sent there now. */
  isReady(destination: Destination, nowMs: number): boolean {
    return !this.isBackingOff(destination, nowMs) && !this.#isBusy(keyOf(destination), nowMs);
  }

  isBackingOff(destination: Destination, nowMs: number): boolean {
    return (this.#backoffUntilMs.get(keyOf(destination)) ?? -Infinity) > nowMs;
  }

  /** True if a request to it was given up and nothing was sent since. */
  hasTimedOut(destination: Destination, nowMs: number): boolean {
    const request = this.#inFlight.get(keyOf(destination));
    return request !== undefined && request.deadlineMs <= nowMs;
  }

  /** True if anything is under way to any destination. */
  hasAnyInFlight(nowMs: number): boolean {
    return [...this.#inFlight.keys()].some((key) => this.#isBusy(key, nowMs));
  }

  /** True if an answer to it is still wanted. */
  isUnderWay(correlationId: number): boolean {
    return [...this.#inFlight.values()].some((request) => request.correlationId === correlationId);
  }

  sent(request: SentRequest): void {
    this.#inFlight.set(keyOf(request.destination), request);
    this.#backoffUntilMs.delete(keyOf(request.destination));
  }

  /** The request that is answered; null when it was given up or never sent. It is under way no more. */
  take(correlationId: number): SentRequest | null {
    for (const [key, request] of this.#inFlight) {
      if (request.correlationId !== correlationId) continue;
      this.#inFlight.delete(key);
      return request;
    }
    return null;
  }

  /** The destination failed: it is left alone for a while. */
  failed(destination: Destination, nowMs: number): void {
    this.#backoffUntilMs.set(keyOf(destination), nowMs + this.#retryBackoffMs);
  }

  forget(destination: Destination): void {
    this.#inFlight.delete(keyOf(destination));
    this.#backoffUntilMs.delete(keyOf(destination));
  }

  /** Forgets all: the role has changed. Answers to what is under way are not wanted any more. */
  reset(): void {
    this.#inFlight.clear();
    this.#backoffUntilMs.clear();
  }

  /** When something next becomes ready; Infinity for never. */
  nextDeadlineMs(nowMs: number): number {
    let deadlineMs = Infinity;
    for (const request of this.#inFlight.values()) {
      if (request.deadlineMs > nowMs) deadlineMs = Math.min(deadlineMs, request.deadlineMs);
    }
    for (const untilMs of this.#backoffUntilMs.values()) {
      if (untilMs > nowMs) deadlineMs = Math.min(deadlineMs, untilMs);
    }
    return deadlineMs;
  }

  #isBusy(key: string, nowMs: number): boolean {
    const request = this.#inFlight.get(key);
    return request !== undefined && request.deadlineMs > nowMs;
  }
}

function keyOf(destination: Destination): string {
  return `${destination.kind}-${destination.id}`;
}
