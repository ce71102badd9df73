import { type MutableMap, PersistentMap } from '../base/timeline-map.ts';
import type { MetadataRecord, MetadataRecordType } from './metadata-record.ts';

/**
 * Metadata that is kept as the very records that set it, by a key of theirs: ACL entries, SCRAM credentials, delegation tokens, client
 * quotas. Immutable; the rooms that act on it read the records.
 */
export class RecordTable<T extends MetadataRecordType> {
  /** The record in force by key. */
  readonly records: PersistentMap<string, TableRecord<T>>;

  constructor(records: PersistentMap<string, TableRecord<T>>) {
    this.records = records;
  }

  /** A table without records. */
  static empty<T extends MetadataRecordType>(): RecordTable<T> {
    return new RecordTable<T>(PersistentMap.empty());
  }

  /** Records that make this state. */
  toRecords(): IterableIterator<TableRecord<T>> {
    return this.records.values();
  }
}

/** A record of type `T`. */
export type TableRecord<T extends MetadataRecordType> = Extract<MetadataRecord, { type: T }>;

/** What changed of a table. */
export class RecordTableDelta<T extends MetadataRecordType> {
  /** Keys that were set or removed. */
  readonly changedKeys = new Set<string>();
  readonly #records: MutableMap<string, TableRecord<T>>;

  constructor(table: RecordTable<T>) {
    this.#records = table.records.toMutable();
  }

  /** Puts a record in force. */
  set(key: string, record: TableRecord<T>): void {
    this.#records.set(key, record);
    this.changedKeys.add(key);
  }

  /** Removes what is under `key`; false when there is nothing. */
  remove(key: string): boolean {
    if (!this.#records.delete(key)) return false;
    this.changedKeys.add(key);
    return true;
  }

  /** The table with the changes. */
  apply(): RecordTable<T> {
    return new RecordTable<T>(this.#records.freeze());
  }
}

/** Key of a SCRAM credential. */
export function scramKey(record: { readonly mechanism: number; readonly name: string }): string {
  return `${record.mechanism}:${record.name}`;
}

/** Key of a client quota: the entity, its types in order, and the quota's name. */
export function clientQuotaKey(record: {
  readonly entity: readonly { readonly entityType: string; readonly entityName: string | null }[];
  readonly key: string;
}): string {
  const entity = record.entity
    .map(({ entityType, entityName }): [string, string | null] => [entityType, entityName])
    .sort((a, b) => (a[0] < b[0] ? -1 : 1));
  return JSON.stringify([entity, record.key]);
}
