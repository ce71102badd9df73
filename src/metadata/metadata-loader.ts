import { BrokerError } from '../base/broker-error.ts';
import { MetadataDelta } from './metadata-delta.ts';
import { MetadataImage, type MetadataProvenance } from './metadata-image.ts';
import type { MetadataRecord } from './metadata-record.ts';

/** A step from one image to the next, as it is published. */
export interface MetadataPublication {
  readonly delta: MetadataDelta;
  readonly image: MetadataImage;
  /** True if a metadata transaction is open at the image's offset: the image lacks its records, so that no snapshot may be made of it. */
  readonly inTransaction: boolean;
}

/** A record of an open transaction and those before it. */
interface HiddenRecord {
  readonly record: MetadataRecord;
  readonly previous: HiddenRecord | null;
}

/** An open transaction: BeginTransactionRecord was seen, its end was not. Immutable. */
interface OpenTransaction {
  readonly startOffset: number;
  readonly records: HiddenRecord | null;
}

/** What a loader remembers between two batches; immutable, to come back to. */
export interface LoaderState {
  readonly image: MetadataImage;
  readonly transaction: OpenTransaction | null;
}

/**
 * Makes images out of the records of the metadata log, in log order. Records between BeginTransactionRecord and EndTransactionRecord are held
 * back until the end and then count together; those before an AbortTransactionRecord never count (KIP-868).
 */
export class MetadataLoader {
  #image = MetadataImage.EMPTY;
  #transaction: OpenTransaction | null = null;
  #delta: MetadataDelta | null = null;

  /** The image as of the last `complete` or `restore`. */
  get image(): MetadataImage {
    return this.#image;
  }

  /** Offset of the BeginTransactionRecord of the open transaction, or null. */
  get transactionStartOffset(): number | null {
    return this.#transaction?.startOffset ?? null;
  }

  /** State to `restore`; taken between batches. */
  get state(): LoaderState {
    return { image: this.#image, transaction: this.#transaction };
  }

  /**
   * Takes the record at `offset`.
   * @throws BrokerError as `MetadataDelta.replay`, and when transaction records do not pair.
   */
  replay(record: MetadataRecord, offset: number): void {
    switch (record.type) {
      case 'BeginTransactionRecord':
        if (this.#transaction !== null) throw unpaired(record.type, offset);
        this.#transaction = { startOffset: offset, records: null };
        return;
      case 'EndTransactionRecord': {
        if (this.#transaction === null) throw unpaired(record.type, offset);
        const hidden = this.#transaction.records;
        this.#transaction = null;
        for (const entry of inOrder(hidden)) this.#apply(entry.record);
        return;
      }
      case 'AbortTransactionRecord':
        if (this.#transaction === null) throw unpaired(record.type, offset);
        this.#transaction = null;
        return;
      default:
        if (this.#transaction === null) return this.#apply(record);
        this.#transaction = {
          startOffset: this.#transaction.startOffset,
          records: { record, previous: this.#transaction.records },
        };
    }
  }

  /** Ends a batch, or several: makes the image of all that counts so far. */
  complete(provenance: MetadataProvenance): MetadataPublication {
    const delta = this.#delta ?? new MetadataDelta(this.#image);
    this.#delta = null;
    this.#image = delta.apply(provenance);
    return { delta, image: this.#image, inTransaction: this.#transaction !== null };
  }

  /** Forgets the open transaction, if there is one: a snapshot follows, and none is of an offset inside a transaction. */
  dropTransaction(): void {
    this.#transaction = null;
  }

  /** Goes back to an earlier state; records since are forgotten. */
  restore(state: LoaderState): void {
    this.#delta = null;
    this.#image = state.image;
    this.#transaction = state.transaction;
  }

  #apply(record: MetadataRecord): void {
    this.#delta ??= new MetadataDelta(this.#image);
    this.#delta.replay(record);
  }
}

function inOrder(last: HiddenRecord | null): HiddenRecord[] {
  const records: HiddenRecord[] = [];
  for (let entry = last; entry !== null; entry = entry.previous) records.push(entry);
  return records.reverse();
}

function unpaired(type: string, offset: number): BrokerError {
  return new BrokerError(
    'METADATA_INCONSISTENT',
    `the ${type} at offset ${offset} does not fit the one before it`,
  );
}
