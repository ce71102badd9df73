import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { MetadataPublication } from '../metadata/metadata-loader.ts';

/** Most requests that may wait for their commit; further ones are refused. */
export const MAX_WAITING_ANSWERS = 10_000;

/** Called once: `NONE` when what the answer rests on is committed, else why it never was. */
export type CommitCallback = (errorCode: ErrorCode) => void;

/** What waits for the committed end of the metadata log to move: images to be published and requests to be answered. */
export class MetadataCommits {
  /** All below is committed. */
  committedEndOffset = 0;
  #publications: { readonly endOffset: number; readonly publication: MetadataPublication }[] = [];
  #answers: { readonly endOffset: number; readonly done: CommitCallback }[] = [];
  readonly #publish: (publication: MetadataPublication) => void;

  constructor(publish: (publication: MetadataPublication) => void) {
    this.#publish = publish;
  }

  /** True if an answer that waits for no more than this end could be given. */
  get hasDueAnswer(): boolean {
    const [first] = this.#answers;
    return first !== undefined && first.endOffset <= this.committedEndOffset;
  }

  /** True if no more requests should be taken. */
  get isFull(): boolean {
    return this.#answers.length >= MAX_WAITING_ANSWERS;
  }

  /** Has an image published when all below `endOffset` is committed. Ends never fall. */
  addPublication(endOffset: number, publication: MetadataPublication): void {
    assert(endOffset > this.committedEndOffset, 'what is committed cannot be published again');
    this.#publications.push({ endOffset, publication });
  }

  /** Has `done` called when all below `endOffset` is committed. Ends never fall. */
  addAnswer(endOffset: number, done: CommitCallback): void {
    const last = this.#answers.at(-1);
    assert(last === undefined || last.endOffset <= endOffset, 'answers wait in the order of their requests');
    this.#answers.push({ endOffset, done });
  }

  /** All below `endOffset` is committed: publishes, then answers. */
  commit(endOffset: number): void {
    assert(endOffset >= this.committedEndOffset, 'the committed end never falls');
    this.committedEndOffset = endOffset;
    const due = this.#publications.filter((entry) => entry.endOffset <= endOffset);
    this.#publications = this.#publications.slice(due.length);
    for (const { publication } of due) this.#publish(publication);
    this.answerDue();
  }

  /** Answers what waits for nothing more. */
  answerDue(): void {
    const count = this.#answers.findIndex(({ endOffset }) => endOffset > this.committedEndOffset);
    for (const { done } of this.#answers.splice(0, count < 0 ? this.#answers.length : count)) {
      done(ErrorCode.NONE);
    }
  }

  /** Nothing of what waits will be committed by this leader: drops it, and returns whom to tell. */
  abandon(): CommitCallback[] {
    this.#publications = [];
    return this.#answers.splice(0).map(({ done }) => done);
  }
}
