/**
 * From a frame to a handler: header, version, body. The table of handlers is also what ApiVersions advertises: an API that is not in it does not exist.
 */
import { type Codec, codecOf } from '../protocol/codec.ts';
import { decodeRequestHeader, encodeResponse } from '../protocol/headers.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { InputOf, MessageOf, MessageSpec } from '../protocol/schema.ts';
import type { SendPart } from '../io/network.ts';
import type { Connection } from './connection.ts';
import type { Connections, Dispatcher } from './connections.ts';
import type { Counters } from './counters.ts';
import type { Frame } from './frame.ts';
import { RequestContext } from './request-context.ts';

/** Bytes of the shortest request header: API key, version, correlation id, length of the client id. */
const MIN_HEADER_BYTES = 10;

/** One API as the broker serves it; see `api` for the typed form. */
export interface ApiHandler {
  readonly apiKey: number;
  /** Versions that are served, both inclusive. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Lowest version that ApiVersions tells, where that differs (Produce). */
  readonly advertisedMinVersion: number;
  readonly request: MessageSpec;
  readonly response: MessageSpec;
  /** Later requests of such APIs may be taken up while this one waits for its answer. */
  readonly overlaps: boolean;
  /** The request's `records` fields are views that the handler uses after its call: the frame's bytes are made to last until it is settled. */
  readonly keepsFrame: boolean;
  handle(context: RequestContext, request: never): void;
  /** Answers a version that is not served (only ApiVersions does); the context is of version 0, the body was not read. */
  readonly handleUnsupported: ((context: RequestContext) => void) | null;
}

/** What `api` needs to know. */
export interface ApiDefinition<Q extends MessageSpec, R extends MessageSpec> {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly advertisedMinVersion?: number;
  readonly request: Q;
  readonly response: R;
  readonly overlaps?: boolean;
  readonly keepsFrame?: boolean;
  handle(context: RequestContext<InputOf<R>>, request: MessageOf<Q>): void;
  handleUnsupported?(context: RequestContext<InputOf<R>>): void;
}

/** Makes a table entry of a typed definition. */
export function api<Q extends MessageSpec, R extends MessageSpec>(
  definition: ApiDefinition<Q, R>,
): ApiHandler {
  return {
    overlaps: false,
    keepsFrame: false,
    advertisedMinVersion: definition.minVersion,
    handleUnsupported: null,
    ...definition,
  } as unknown as ApiHandler;
}

/** The dispatch table of a broker. */
export class DispatchTable implements Dispatcher {
  readonly #entries: (ApiHandler | undefined)[] = [];
  readonly #codecs: (Codec<MessageSpec> | undefined)[][] = [];
  readonly #counters: Counters;
  readonly #monotonicMs: () => number;
  readonly #deadlineMs: number;

  /** @param deadlineMs how long a request may take before its answer is of no use (`request.timeout.ms` of clients). */
  constructor(options: { counters: Counters; monotonicMs: () => number; deadlineMs: number }) {
    this.#counters = options.counters;
    this.#monotonicMs = options.monotonicMs;
    this.#deadlineMs = options.deadlineMs;
  }

  /** Adds an API; a second one of the same key is a bug. */
  add(handler: ApiHandler): void {
    if (this.#entries[handler.apiKey] !== undefined)
      throw new Error(`API ${handler.apiKey} has two handlers`);
    this.#entries[handler.apiKey] = handler;
    this.#codecs[handler.apiKey] = [];
  }

  /** All APIs served, by ascending key. */
  handlers(): ApiHandler[] {
    return this.#entries.filter((entry) => entry !== undefined);
  }

  /** See `Dispatcher`. */
  overlaps(apiKey: number): boolean {
    return this.#entries[apiKey]?.overlaps ?? false;
  }

  /** See `Dispatcher`. */
  dispatch(connections: Connections, connection: Connection, frame: Frame): string | null {
    const lengthBytes = frame.end - frame.start;
    if (lengthBytes < MIN_HEADER_BYTES) return `a request of ${lengthBytes} bytes has no header`;
    const apiKey = frame.buffer.readInt16BE(frame.start);
    const apiVersion = frame.buffer.readInt16BE(frame.start + 2);
    const handler = apiKey < 0 ? undefined : this.#entries[apiKey];
    if (handler === undefined) return `API ${apiKey} is not served`;
    const supported = apiVersion >= handler.minVersion && apiVersion <= handler.maxVersion;
    if (!supported && handler.handleUnsupported === null) {
      return `version ${apiVersion} of API ${apiKey} is not served`;
    }
    if (supported && handler.keepsFrame) frame.own();
    try {
      return this.#begin({ connections, connection, frame, handler, supported });
    } catch (error) {
      if (error instanceof ProtocolError) return `API ${apiKey} version ${apiVersion}: ${error.message}`;
      throw error;
    }
  }

  #begin(incoming: Incoming): string | null {
    const { connections, connection, frame, handler, supported } = incoming;
    const header = decodeRequestHeader(frame.buffer, frame.start, frame.end);
    const lengthBytes = frame.end - frame.start;
    const receivedMs = this.#monotonicMs();
    const context = new RequestContext(connections, {
      connection,
      apiKey: handler.apiKey,
      apiVersion: supported ? header.apiVersion : 0,
      correlationId: header.correlationId,
      clientId: header.clientId,
      requestBytes: lengthBytes,
      receivedMs,
      deadlineMs: receivedMs + this.#deadlineMs,
    });
    let request: unknown = null;
    if (supported) {
      const codec = this.#codec(handler, header.apiVersion);
      request = codec.decode(frame.buffer, header.bodyStart, frame.end);
      if (codec.lastEnd < frame.end) {
        this.#counters.trailingBytesFrames++;
        this.#counters.trailingBytes += frame.end - codec.lastEnd;
      }
    }
    context.overlaps = handler.overlaps;
    this.#counters.api(handler.apiKey).requests++;
    connections.begin(context, supported && handler.keepsFrame ? frame.buffer : null);
    if (supported) this.#run(handler, context, request);
    else handler.handleUnsupported?.(context);
    return null;
  }

  /** A ProtocolError out of a handler is its bug, not the client's. */
  #run(handler: ApiHandler, context: RequestContext, request: unknown): void {
    try {
      handler.handle(context, request as never);
    } catch (error) {
      context.fail(error);
    }
  }

  #codec(handler: ApiHandler, version: number): Codec<MessageSpec> {
    const codecs = this.#codecs[handler.apiKey] as (Codec<MessageSpec> | undefined)[];
    let codec = codecs[version];
    if (codec === undefined) {
      codec = codecOf(handler.request, version);
      codecs[version] = codec;
    }
    return codec;
  }

  /** See `Dispatcher`. */
  encode(context: RequestContext, body: object): SendPart[] {
    const handler = this.#entries[context.apiKey] as ApiHandler;
    return encodeResponse(handler, context.apiVersion, context.correlationId, body as never) as SendPart[];
  }
}

interface Incoming {
  readonly connections: Connections;
  readonly connection: Connection;
  readonly frame: Frame;
  readonly handler: ApiHandler;
  readonly supported: boolean;
}
