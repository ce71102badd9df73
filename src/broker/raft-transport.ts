import type { ErrorCode } from '../base/errors.ts';
import type { RaftApis, RequestToSend, ServedApiKey } from '../raft/raft-api.ts';

/** What became of a request. */
export type RaftReply =
  /** The decoded answer; all buffers in it are the receiver's. */
  | { readonly body: RaftApis[keyof RaftApis]['response'] }
  /** There is none: no connection, no answer in time, or UNSUPPORTED_VERSION when the peer does not speak `minVersion`. */
  | { readonly body: null; readonly errorCode: ErrorCode };

/** How the members of a quorum reach each other. */
export interface RaftTransport {
  /** Sends a request to its destination; `done` is called once at most, in a later turn. */
  send(request: RequestToSend, done: (reply: RaftReply) => void): void;
  /** Called once, when the node begins to take part: from then on requests of the others go to `handle`. */
  serve(handle: (request: PeerRequest, done: PeerAnswer) => void): void;
}

/** A request that another member sent. */
export interface PeerRequest<K extends ServedApiKey = ServedApiKey> {
  readonly apiKey: K;
  readonly apiVersion: number;
  readonly body: RaftApis[K]['request'];
}

/** Told once what to answer; records and snapshot bytes are in it. */
export type PeerAnswer = (body: RaftApis[ServedApiKey]['responseInput']) => void;
