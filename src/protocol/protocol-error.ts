/** What is wrong with bytes that were read, or with a value that was to be written. */
export type ProtocolErrorReason =
  | 'truncated' // the bytes end before the message does
  | 'length' // a length or count that cannot be, or is over its limit
  | 'int64' // an int64 that a number cannot hold
  | 'null' // null where the schema has none
  | 'varint' // a varint longer than its type
  | 'tag' // a tagged field whose size does not fit its content, or that may not be written
  | 'version' // a version the schema does not have, or a value that the version cannot carry
  | 'value'; // a value that the type cannot hold

/**
 * Bytes that are not the message they should be, or a value that cannot be written as one. For a request it
 * means that the connection is closed; the message names the field.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly reason: ProtocolErrorReason;

  constructor(reason: ProtocolErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
