import { BATCH_HEADER_BYTES, type BatchView } from './batch.ts';
import { ControlType, decodeControlRecord } from './control-records.ts';
import { RecordFormatError } from './reader.ts';
import { RecordCursor } from './record-cursor.ts';

/** What ends a transaction in a partition (formats §7); producer and epoch are those of its batch. */
export interface TransactionMarker {
  readonly type: 'ABORT' | 'COMMIT';
  readonly coordinatorEpoch: number;
}

/** The transaction marker in a control batch that lies whole under `view`; null if it holds another kind of control record, or none. */
export function markerOf(view: BatchView): TransactionMarker | null {
  if (!view.isControl || !view.hasProducerId) return null;
  const { buffer, start } = view;
  const cursor = new RecordCursor().over(buffer, start + BATCH_HEADER_BYTES, start + view.sizeBytes);
  if (!cursor.next()) return null;
  const key = cursor.key();
  if (key === null || key.length < 4 || key.readInt16BE(2) > ControlType.COMMIT) return null;
  try {
    const record = decodeControlRecord(key, cursor.value());
    return record.type === 'ABORT' || record.type === 'COMMIT'
      ? { type: record.type, coordinatorEpoch: record.coordinatorEpoch }
      : null;
  } catch (error) {
    if (error instanceof RecordFormatError) return null;
    throw error;
  }
}
