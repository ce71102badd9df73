import { type ErrorCode, errorName, isRetriable } from '../base/errors.ts';

/** What went wrong, for programs; stable. */
export type ClientErrorReason =
  | 'CONNECT_FAILED' // no connection could be made
  | 'CONNECTION_CLOSED' // the connection ended before the answer came
  | 'REQUEST_TIMEOUT' // no answer within the deadline
  | 'VERSION_UNSUPPORTED' // the broker has no version of the API in common with this client
  | 'MALFORMED_RESPONSE' // the answer could not be decoded
  | 'MALFORMED_RECORDS' // fetched records could not be decoded
  | 'COMPRESSION_FAILED' // a batch could not be compressed
  | 'BROKER_ANSWER' // the broker answered with a Kafka error code: `errorCode`
  | 'DELIVERY_TIMEOUT' // a record was not acknowledged in time
  | 'BUFFER_FULL' // too many bytes wait to be sent
  | 'CLOSED'; // the client was closed

const RETRIABLE_REASONS: ReadonlySet<ClientErrorReason> = new Set([
  'CONNECT_FAILED',
  'CONNECTION_CLOSED',
  'REQUEST_TIMEOUT',
]);

/** A request, or a record, that failed. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly reason: ClientErrorReason;
  /** Kafka's error code when `reason` is `BROKER_ANSWER`, else 0. */
  readonly errorCode: ErrorCode;

  constructor(
    reason: ClientErrorReason,
    message: string,
    options?: { readonly errorCode?: ErrorCode; readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.errorCode = options?.errorCode ?? 0;
  }

  /** True if the same request may succeed when it is sent again. */
  get retriable(): boolean {
    return this.reason === 'BROKER_ANSWER' ? isRetriable(this.errorCode) : RETRIABLE_REASONS.has(this.reason);
  }
}

/**
 * The error of an answer with a Kafka error code.
 * @param what what was asked for, as the start of the message.
 * @param detail the broker's own words, when it gave some.
 */
export function brokerAnswer(what: string, errorCode: ErrorCode, detail?: string | null): ClientError {
  const words = detail ? `: ${detail}` : '';
  return new ClientError('BROKER_ANSWER', `${what}: ${errorName(errorCode)}${words}`, { errorCode });
}

/** Called exactly once, in a later turn or before the call returns, with the outcome or why there is none. */
export type Done<T> = (outcome: T | ClientError) => void;

/** The promise of what a callback will be called with. */
export function promised<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((outcome) => {
      if (outcome instanceof ClientError) reject(outcome);
      else resolve(outcome);
    });
  });
}
