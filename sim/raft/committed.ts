import type { QuorumFacts } from '../../src/raft/voter-history.ts';
import { VoterSet } from '../../src/raft/voter-set.ts';
import { type Batch, EMPTY_IMAGE, replayed } from './batch.ts';
import { LogCopy } from './log-copy.ts';

/** What holds at the end of a committed batch. */
export interface CommittedState {
  /** Of the batch. */
  readonly epoch: number;
  /** Of the leader that committed it. */
  readonly committedIn: number;
  readonly image: number;
  readonly facts: QuorumFacts;
}

/** All that any node has ever taken for committed: the one log that all of them must have. */
export class Committed {
  readonly log = new LogCopy();
  readonly #states = new Map<number, CommittedState>();

  /** @param first what the nodes are formatted with */
  constructor(first: QuorumFacts) {
    this.#states.set(0, { epoch: 0, committedIn: 0, image: EMPTY_IMAGE, facts: first });
  }

  get endOffset(): number {
    return this.log.endOffset;
  }

  /** What holds at an offset; null where no committed batch ends. */
  at(offset: number): CommittedState | null {
    return this.#states.get(offset) ?? null;
  }

  /** @param committedIn epoch of the leader that committed it */
  add(batch: Batch, committedIn: number): void {
    const before = this.#states.get(this.endOffset) as CommittedState;
    let { facts } = before;
    for (const { record } of batch.controlRecords) {
      facts =
        record.type === 'KRAFT_VERSION'
          ? { ...facts, kraftVersion: record.kraftVersion }
          : { ...facts, voters: new VoterSet(record.voters) };
    }
    this.log.batches.push(batch);
    const image = replayed(before.image, batch);
    this.#states.set(batch.endOffset, { epoch: batch.epoch, committedIn, image, facts });
  }
}
