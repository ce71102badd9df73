import type { Compute } from '../io/compute.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchField,
  BatchView,
  CURRENT_MAGIC,
  isCrcValid,
} from '../records/batch.ts';
import { openRecords, type RecordView } from '../records/reader.ts';
import { AbortedFilter, type AbortedRange } from './aborted-filter.ts';
import { ClientError } from './client-error.ts';

/** What came out of the bytes of one fetched partition. */
export interface DecodedRecords {
  /** Records from the wanted offset on, in order; views of the fetched bytes where they are not compressed. */
  readonly records: readonly RecordView[];
  /** Offset to fetch from next. */
  readonly nextOffset: number;
}

/** What is decoded, and with what. */
export interface DecodeRequest {
  /** Batches as they lie in the log: the first may begin before `fetchOffset`, the last may be cut short. */
  readonly bytes: Buffer;
  readonly fetchOffset: number;
  /** The aborted transactions among them, whose records are left out; null to take all. */
  readonly aborted: readonly AbortedRange[] | null;
  /** For messages. */
  readonly what: string;
  readonly compute: Compute;
}

/**
 * Checks and decodes fetched batches of any codec; records before the wanted offset, of aborted transactions, and control records are left out. `done` is
 * called once, before the call returns or later.
 */
export function decodeFetched(
  request: DecodeRequest,
  done: (outcome: DecodedRecords | ClientError) => void,
): void {
  new FetchDecoder(request, done).continue();
}

class FetchDecoder {
  readonly #request: DecodeRequest;
  readonly #done: (outcome: DecodedRecords | ClientError) => void;
  readonly #view = new BatchView();
  readonly #filter: AbortedFilter | null;
  #records: RecordView[] = [];
  #position = 0;
  #nextOffset: number;

  constructor(request: DecodeRequest, done: (outcome: DecodedRecords | ClientError) => void) {
    this.#request = request;
    this.#done = done;
    this.#nextOffset = request.fetchOffset;
    this.#filter = request.aborted === null ? null : new AbortedFilter(request.aborted);
  }

  /** Goes from batch to batch until one is not decoded at once; that one's call back goes on. */
  continue(): void {
    const { bytes } = this.#request;
    for (;;) {
      const problem = this.#batchProblem();
      if (problem !== null) {
        this.#done(new ClientError('MALFORMED_RECORDS', `${this.#request.what}: ${problem}`));
        return;
      }
      if (!isWholeBatch(bytes, this.#position)) {
        this.#done({ records: this.#records, nextOffset: this.#nextOffset });
        return;
      }
      if (!this.#openBatch()) return;
    }
  }

  /** What is wrong with the batch at the position, null if nothing or if it is not all there. */
  #batchProblem(): string | null {
    const { bytes, compute } = this.#request;
    if (!isWholeBatch(bytes, this.#position)) {
      return this.#position === 0 && bytes.length > 0 ? 'the first batch is cut short' : null;
    }
    const view = this.#view.at(bytes, this.#position);
    if (view.magic !== CURRENT_MAGIC) return `a batch has magic ${view.magic}`;
    if (isCrcValid(compute, bytes, this.#position, view.sizeBytes)) return null;
    return `the batch at offset ${view.baseOffset} has a wrong CRC`;
  }

  /** Takes the batch at the position and moves past it. @returns false if its records come later. */
  #openBatch(): boolean {
    const { bytes, fetchOffset, compute, what } = this.#request;
    const view = this.#view.at(bytes, this.#position);
    const start = this.#position;
    this.#position += view.sizeBytes;
    const isAborted = this.#filter?.leavesOut(view) ?? false;
    if (view.endOffset <= fetchOffset) return true;
    this.#nextOffset = view.endOffset;
    if (isAborted || view.isControl || view.recordCount === 0) return true;

    let inline = true;
    let arrived = false;
    openRecords(bytes, start, compute, (error, records) => {
      arrived = true;
      if (records === null) {
        this.#done(
          new ClientError('MALFORMED_RECORDS', `${what}: ${error?.message ?? 'unreadable'}`, {
            cause: error,
          }),
        );
        // Ended: nothing of this object is called any more.
        inline = false;
        return;
      }
      this.#take(records);
      if (!inline) this.continue();
    });
    const goesOn = arrived && inline;
    inline = false;
    return goesOn;
  }

  #take(records: readonly RecordView[]): void {
    const { fetchOffset } = this.#request;
    if (this.#records.length === 0 && (records[0]?.offset ?? 0) >= fetchOffset) {
      this.#records = records as RecordView[];
      return;
    }
    for (const record of records) if (record.offset >= fetchOffset) this.#records.push(record);
  }
}

function isWholeBatch(bytes: Buffer, start: number): boolean {
  if (start + BATCH_HEADER_BYTES > bytes.length) return false;
  const length = bytes.readInt32BE(start + BatchField.batchLength);
  return (
    length >= BATCH_HEADER_BYTES - BATCH_OVERHEAD_BYTES &&
    start + BATCH_OVERHEAD_BYTES + length <= bytes.length
  );
}
