import { ErrorCode } from '../../base/errors.ts';
import type { CoordinatorRecord } from './coordinator-record.ts';

/** What an operation on a shard wants: records in the log, and an answer once they are committed. */
export interface CoordinatorResult<R> {
  /** Appended together, in this order; empty for what changes nothing durable. */
  readonly records: readonly CoordinatorRecord[];
  /** Given when the records, or whatever was written before, are committed. Null: the operation sees to its answer itself. */
  readonly response: R | null;
  /** Other than `NONE`: the operation is refused as a whole, nothing has changed, and it is answered at once. */
  readonly errorCode: ErrorCode;
  /** False when the state that the records describe is in place already and must not be replayed. */
  readonly replayed: boolean;
  /** Called once when the records are committed (`NONE`) or have failed; then what they changed by replay has been taken back. */
  readonly onSettled: ((errorCode: ErrorCode) => void) | null;
}

/** Gives a parked request its answer; at most once. */
export type Answer<R> = (response: R) => void;

const NO_RECORDS: readonly CoordinatorRecord[] = [];

/** Nothing to write, nothing to say: the answer is given by other means. */
export const NOTHING: CoordinatorResult<never> = {
  records: NO_RECORDS,
  response: null,
  errorCode: ErrorCode.NONE,
  replayed: true,
  onSettled: null,
};

/** Refuses an operation. */
export function refused(errorCode: ErrorCode): CoordinatorResult<never> {
  return { ...NOTHING, errorCode };
}

/** An answer that depends on nothing but what is written already. */
export function answered<R>(response: R): CoordinatorResult<R> {
  return { ...NOTHING, response };
}

/** Records that are replayed as they are appended, and the answer for when they are committed. */
export function written<R>(records: readonly CoordinatorRecord[], response: R | null): CoordinatorResult<R> {
  return { ...NOTHING, records, response };
}

/** Records of state that is in place already; `onSettled` takes it back when they fail. */
export function recorded(
  records: readonly CoordinatorRecord[],
  onSettled: (errorCode: ErrorCode) => void,
): CoordinatorResult<never> {
  return { records, response: null, errorCode: ErrorCode.NONE, replayed: false, onSettled };
}
