import type { ConnectionId, FrameTable, Network } from '../../src/io/network.ts';
import { apiByKey } from '../../src/protocol/api-keys.ts';
import { codecOf } from '../../src/protocol/codec.ts';
import { encodeRequest, readCorrelationId, responseBodyStart } from '../../src/protocol/headers.ts';
import type { InputOf, MessageOf, MessageSpec } from '../../src/protocol/schema.ts';

/** The two schemas of an API. */
export interface TestApi<Q extends MessageSpec, R extends MessageSpec> {
  readonly request: Q;
  readonly response: R;
}

interface Expected {
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** A client that does just what a test says: any API, any version, any bytes. */
export class TestClient {
  readonly #network: Network;
  readonly #connection: ConnectionId;
  readonly #expected = new Map<number, Expected>();
  #nextCorrelationId = 1;
  /** Correlation ids in the order in which answers came. */
  readonly answered: number[] = [];
  /** Why the connection ended; null while it is open. */
  closed: string | null = null;
  #onOpen: (() => void) | null = null;
  #onClosed: (() => void) | null = null;
  readonly #opened: Promise<void>;
  readonly #ended: Promise<void>;

  constructor(network: Network, address: { readonly host: string; readonly port: number }) {
    this.#network = network;
    this.#opened = new Promise((resolve) => {
      this.#onOpen = resolve;
    });
    this.#ended = new Promise((resolve) => {
      this.#onClosed = resolve;
    });
    this.#connection = network.connect({
      ...address,
      limits: {
        maxFrameBytes: 200 << 20,
        frameTimeoutMs: 60_000,
        budget: { maxBytes: 400 << 20, usedBytes: 0 },
      },
      handler: {
        onOpen: (connection) => {
          network.setCredits(connection, 1_000_000);
          this.#onOpen?.();
        },
        onFrames: (frames) => this.#onFrames(frames),
        onClose: (_connection, reason) => {
          this.closed = reason;
          this.#onOpen?.();
          this.#onClosed?.();
          for (const { reject } of this.#expected.values()) reject(new Error(`connection closed: ${reason}`));
          this.#expected.clear();
        },
        onDrain() {},
      },
    });
  }

  /** Resolves when the connection is there, or cannot be made. */
  open(): Promise<void> {
    return this.#opened;
  }

  /** Resolves when the connection has ended. */
  ended(): Promise<void> {
    return this.#ended;
  }

  /** Sends a request and gives the decoded answer; rejects when the connection ends first. */
  async call<Q extends MessageSpec, R extends MessageSpec>(
    api: TestApi<Q, R>,
    version: number,
    body: InputOf<Q>,
    clientId = 'test',
  ): Promise<MessageOf<R>> {
    const frame = await this.exchange(api, version, body, clientId);
    const start = responseBodyStart(api, version, frame, 0, frame.length);
    return codecOf(api.response, version).decode(frame, start, frame.length);
  }

  /** Like `call`, with the answer's frame as it came. */
  exchange<Q extends MessageSpec, R extends MessageSpec>(
    api: TestApi<Q, R>,
    version: number,
    body: InputOf<Q>,
    clientId = 'test',
  ): Promise<Buffer> {
    const correlationId = this.#nextCorrelationId++;
    const answer = this.expect(correlationId);
    this.#network.send(
      this.#connection,
      encodeRequest(api, version, correlationId, clientId, body).map((part) => Buffer.from(part as Buffer)),
    );
    return answer;
  }

  /** Sends without expecting an answer. */
  tell<Q extends MessageSpec>(request: Q, version: number, body: InputOf<Q>): void {
    const parts = encodeRequest({ request }, version, this.#nextCorrelationId++, 'test', body);
    this.#network.send(
      this.#connection,
      parts.map((part) => Buffer.from(part as Buffer)),
    );
  }

  /** Sends bytes as they are. */
  sendRaw(bytes: Buffer): void {
    this.#network.send(this.#connection, [bytes]);
  }

  /** The frame that will answer a correlation id. */
  expect(correlationId: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.closed !== null) reject(new Error(`connection closed: ${this.closed}`));
      else this.#expected.set(correlationId, { resolve, reject });
    });
  }

  /** Ends the connection. */
  close(): void {
    this.#network.close(this.#connection, 'now');
  }

  /** Latest version of an API, of those the schemas have. */
  static latest(apiKey: number): number {
    return apiByKey(apiKey)?.maxVersion ?? -1;
  }

  #onFrames(frames: FrameTable): void {
    for (let i = 0; i < frames.count; i++) {
      const frame = frames.retain(i);
      const correlationId = readCorrelationId(frame, 0, frame.length);
      this.answered.push(correlationId);
      this.#expected.get(correlationId)?.resolve(frame);
      this.#expected.delete(correlationId);
    }
  }
}
