import { BATCH_HEADER_BYTES, type BatchView } from '../records/batch.ts';
import { ControlType, decodeControlRecord } from '../records/control-records.ts';
import { RecordCursor } from '../records/record-cursor.ts';
import { RecordFormatError } from '../records/reader.ts';
import type { Marker } from './producer-state.ts';

/** The transaction marker in a control batch that lies whole under `view`; null if it holds another kind of control record, or none. */
export function markerOf(view: BatchView): Marker | null {
  if (!view.isControl || !view.hasProducerId) return null;
  const { buffer, start } = view;
  const cursor = new RecordCursor().over(buffer, start + BATCH_HEADER_BYTES, start + view.sizeBytes);
  if (!cursor.next()) return null;
  const key = cursor.key();
  if (key === null || key.length < 4 || key.readInt16BE(2) > ControlType.COMMIT) return null;
  try {
    const record = decodeControlRecord(key, cursor.value());
    return record.type === 'ABORT' || record.type === 'COMMIT' ? record : null;
  } catch (error) {
    if (error instanceof RecordFormatError) return null;
    throw error;
  }
}
