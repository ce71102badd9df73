/**
 * A cluster as one client sees it: connections made when they are needed, one per broker, and what is known of topics and leaders.
 * Producer, consumer and admin each have one of their own, so that a fetch that waits holds up nobody else.
 */
import type { Random } from '../base/random.ts';
import type { Clock } from '../io/clock.ts';
import type { Compute } from '../io/compute.ts';
import type { Network, ReceiveBudget } from '../io/network.ts';
import { CLIENT_VERSION, METADATA } from './apis.ts';
import type { Call } from './call.ts';
import { brokerAnswer, ClientError, type Done } from './client-error.ts';
import { Connection, type SendOptions } from './connection.ts';
import { MetadataCache } from './metadata.ts';

/** What a client needs of the world. */
export interface ClientPorts {
  readonly network: Network;
  readonly clock: Clock;
  readonly compute: Compute;
  readonly random: Random;
}

/** What every client is told. */
export interface ClientOptions {
  /** Brokers to ask first, as `host:port`; at least one. */
  readonly bootstrap: readonly string[];
  /** Shown in the broker's logs and metrics. */
  readonly clientId?: string;
  /** Deadline of one request. */
  readonly requestTimeoutMs?: number;
  /** Pause before something that failed is tried again. */
  readonly retryBackoffMs?: number;
  /** Largest answer that is taken. */
  readonly maxResponseBytes?: number;
}

/** Where a request goes: a broker by its id, or whichever can be reached. */
export type Target = number | 'any';

interface Address {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;
const DEFAULT_RETRY_BACKOFF_MS = 100;
const DEFAULT_MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

/** See the head of the file. */
export class Cluster {
  readonly ports: ClientPorts;
  readonly metadata = new MetadataCache();
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly #clientId: string;
  readonly #maxResponseBytes: number;
  readonly #bootstrap: readonly Address[];
  readonly #budget: ReceiveBudget;
  /** By `host:port`. */
  readonly #connections = new Map<string, Connection>();
  #closed = false;

  /** @throws ClientError when a bootstrap address is not `host:port`. */
  constructor(ports: ClientPorts, options: ClientOptions) {
    this.ports = ports;
    this.requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.retryBackoffMs = options.retryBackoffMs ?? DEFAULT_RETRY_BACKOFF_MS;
    this.#clientId = options.clientId ?? 'odradek';
    this.#maxResponseBytes = options.maxResponseBytes ?? DEFAULT_MAX_RESPONSE_BYTES;
    this.#bootstrap = options.bootstrap.map(parseAddress);
    this.#budget = { maxBytes: this.#maxResponseBytes, usedBytes: 0 };
    if (this.#bootstrap.length === 0)
      throw new ClientError('CONNECT_FAILED', 'no bootstrap address is given');
  }

  /** True after `close`. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sends one request and hands over its answer, whatever its error codes say. A target of `any` tries each known address once until
   * a connection is made.
   */
  send<Request, Response>(
    target: Target,
    call: Call<Request, Response>,
    prepare: (version: number) => Request,
    options: SendOptions,
    done: Done<Response>,
  ): void {
    if (this.#closed) {
      done(new ClientError('CLOSED', 'the client is closed'));
    } else if (target === 'any') {
      this.#sendToAny(this.#candidates(), call, prepare, options, done);
    } else {
      const broker = this.metadata.brokers.get(target);
      if (broker === undefined) done(new ClientError('CONNECT_FAILED', `broker ${target} is not known`));
      else this.#connection(broker).send(call, prepare, options, done);
    }
  }

  /** Requests under way to a broker. */
  unansweredCount(nodeId: number): number {
    const broker = this.metadata.brokers.get(nodeId);
    return broker === undefined ? 0 : (this.#connections.get(keyOf(broker))?.unansweredCount ?? 0);
  }

  /**
   * Asks for brokers and for the named topics (null: all), and keeps the answer in `metadata`. Errors of single topics are found there.
   * @param createTopics whether the broker may create topics that are not there.
   */
  refresh(
    topics: readonly string[] | null,
    createTopics: boolean,
    done: (error: ClientError | null) => void,
  ): void {
    this.send(
      'any',
      METADATA,
      () => ({
        topics: topics === null ? null : topics.map((name) => ({ name })),
        allowAutoTopicCreation: createTopics,
      }),
      {},
      (answer) => {
        if (answer instanceof ClientError) {
          done(answer);
          return;
        }
        if (answer.errorCode === 0) this.metadata.apply(answer);
        done(answer.errorCode === 0 ? null : brokerAnswer('Metadata', answer.errorCode));
      },
    );
  }

  /** Closes every connection; requests without an answer fail. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const error = new ClientError('CLOSED', 'the client was closed');
    for (const connection of this.#connections.values()) connection.close(error);
  }

  #sendToAny<Request, Response>(
    candidates: Address[],
    call: Call<Request, Response>,
    prepare: (version: number) => Request,
    options: SendOptions,
    done: Done<Response>,
  ): void {
    const address = candidates.shift() as Address;
    this.#connection(address).send(call, prepare, options, (outcome) => {
      const unreachable = outcome instanceof ClientError && outcome.reason === 'CONNECT_FAILED';
      if (unreachable && candidates.length > 0 && !this.#closed) {
        this.#sendToAny(candidates, call, prepare, options, done);
      } else {
        done(outcome);
      }
    });
  }

  /** Addresses in the order to try them: a connection that is up, then known brokers, then where we began; at least one. */
  #candidates(): Address[] {
    const known: Address[] = [...this.metadata.brokers.values()];
    const from = this.ports.random.below(Math.max(1, known.length));
    const rotated = [...known.slice(from), ...known.slice(0, from), ...this.#bootstrap];
    const isUp = (address: Address) => this.#connections.get(keyOf(address))?.ready === true;
    const ordered = [...rotated.filter(isUp), ...rotated];
    const seen = new Set<string>();
    return ordered.filter((address) => !seen.has(keyOf(address)) && seen.add(keyOf(address)));
  }

  #connection(address: Address): Connection {
    const key = keyOf(address);
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      const made = new Connection(
        {
          network: this.ports.network,
          clock: this.ports.clock,
          host: address.host,
          port: address.port,
          clientId: this.#clientId,
          software: { name: 'odradek', version: CLIENT_VERSION },
          requestTimeoutMs: this.requestTimeoutMs,
          maxResponseBytes: this.#maxResponseBytes,
          budget: this.#budget,
        },
        () => {
          if (this.#connections.get(key) === made) this.#connections.delete(key);
        },
      );
      connection = made;
      this.#connections.set(key, made);
    }
    return connection;
  }
}

function keyOf(address: Address): string {
  return `${address.host}:${address.port}`;
}

/** Splits `host:port`; an IPv6 address stands in brackets. */
function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) {
    throw new ClientError('CONNECT_FAILED', `"${text}" is not an address: write host:port`);
  }
  return { host: (match[1] ?? match[2]) as string, port };
}
