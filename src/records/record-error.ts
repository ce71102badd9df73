/** One record that was the reason for refusing a batch; goes into the Produce response (v8+). */
export interface RecordError {
  /** Index of the record within its batch. */
  readonly batchIndex: number;
  /** For the user of the client. */
  readonly message: string;
}
