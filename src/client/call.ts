import type { SendPart } from '../io/network.ts';

/** One API as a client uses it: its versions, how a request is encoded and an answer decoded. */
export interface Call<Request, Response> {
  readonly key: number;
  /** For messages: `Produce`. */
  readonly name: string;
  /** Versions this client can speak, both inclusive. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** True if the decoded answer holds views of the frame, which must then outlive the call back. */
  readonly keepsFrame: boolean;
  /** The whole frame with its size prefix. */
  encode(version: number, correlationId: number, clientId: string, request: Request): readonly SendPart[];
  /** Decodes a frame, `[start, end)` without the size prefix, that answers a request of `version`. @throws ProtocolError */
  decode(version: number, buffer: Buffer, start: number, end: number): Response;
}
