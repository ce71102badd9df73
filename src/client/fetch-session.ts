/**
 * A fetch session (KIP-227) as its client keeps it: the broker remembers which partitions are fetched from where, and a request names only
 * what changed.
 *
 * | epoch of the next request | means                                            | then |
 * | ------------------------- | ------------------------------------------------ | ---- |
 * | 0                         | everything is named; a session is asked for      | 1 if the answer has a session id, else 0 |
 * | n > 0                     | what changed, and what is not wanted any more    | n + 1, after 2147483647 comes 1 |
 *
 * Any error of the session, and any request without an answer, begins anew with epoch 0 and the old id, which closes the old one.
 */
import { ErrorCode } from '../base/errors.ts';
import type { Uuid } from '../base/uuid.ts';

/** What is wanted of one partition. */
export interface FetchTarget {
  readonly topic: string;
  readonly topicId: Uuid;
  readonly partition: number;
  readonly fetchOffset: number;
  readonly leaderEpoch: number;
  readonly maxBytes: number;
}

/** The part of a Fetch request that the session decides. */
export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  /** Partitions to name. */
  readonly targets: readonly FetchTarget[];
  /** Partitions to take out of the session. */
  readonly forgotten: readonly FetchTarget[];
}

const MAX_EPOCH = 2_147_483_647;

/** See the head of the file. */
export class ClientFetchSession {
  #sessionId = 0;
  #epoch = 0;
  /** What the broker remembers, by `topicId/topic-partition`. */
  #remembered = new Map<string, FetchTarget>();

  /** The next request for exactly these partitions. */
  next(targets: readonly FetchTarget[]): SessionRequest {
    const wanted = new Map(targets.map((target) => [keyOf(target), target]));
    const remembered = this.#remembered;
    this.#remembered = wanted;
    const ids = { sessionId: this.#sessionId, sessionEpoch: this.#epoch };
    if (this.#epoch === 0) return { ...ids, targets, forgotten: [] };
    return {
      ...ids,
      targets: targets.filter((target) => !isSame(target, remembered.get(keyOf(target)))),
      forgotten: [...remembered].filter(([key]) => !wanted.has(key)).map(([, target]) => target),
    };
  }

  /** The request was answered. @returns true if the answer's partitions count. */
  onAnswer(errorCode: ErrorCode, sessionId: number): boolean {
    if (errorCode !== ErrorCode.NONE) {
      // An id that the broker does not know needs no closing.
      if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.#sessionId = 0;
      this.#epoch = 0;
      return false;
    }
    if (sessionId === 0) {
      this.#sessionId = 0;
      this.#epoch = 0;
    } else if (this.#epoch === 0 || sessionId !== this.#sessionId) {
      this.#sessionId = sessionId;
      this.#epoch = 1;
    } else {
      this.#epoch = this.#epoch === MAX_EPOCH ? 1 : this.#epoch + 1;
    }
    return true;
  }

  /** The request was not answered: nobody knows whether the broker saw it. */
  onNoAnswer(): void {
    this.#epoch = 0;
  }
}

function keyOf({ topicId, topic, partition }: FetchTarget): string {
  return `${topicId}/${topic}-${partition}`;
}

function isSame(a: FetchTarget, b: FetchTarget | undefined): boolean {
  return (
    b !== undefined &&
    a.fetchOffset === b.fetchOffset &&
    a.leaderEpoch === b.leaderEpoch &&
    a.maxBytes === b.maxBytes
  );
}
