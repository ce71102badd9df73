import type { Random } from '../../src/base/random.ts';
import type { Call } from '../../src/client/call.ts';
import { ClientError } from '../../src/client/client-error.ts';
import { Connection } from '../../src/client/connection.ts';
import type { Clock } from '../../src/io/clock.ts';
import type { Compute } from '../../src/io/compute.ts';
import type { Network } from '../../src/io/network.ts';

/** What an actor is given to talk to the broker. */
export interface PeerPorts {
  /** Name of the host the actor runs on. */
  readonly host: string;
  readonly clock: Clock;
  readonly network: Network;
  readonly compute: Compute;
  readonly random: Random;
  /** Where the broker listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** Actors hold still while this is true: the broker lost its power and what is left of its logs is being looked at. */
  readonly paused: () => boolean;
}

const RECONNECT_MS = 20;
const REQUEST_TIMEOUT_MS = 5_000;
const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

/** One client's connection, made again whenever it is lost. Outcomes are told once; a lost connection fails every request on it. */
export class Peer {
  readonly ports: PeerPorts;
  readonly name: string;
  readonly #onReady: () => void;
  #connection: Connection | null = null;
  #stopped = false;

  /** @param onReady called each time a fresh connection may be used. */
  constructor(name: string, ports: PeerPorts, onReady: () => void) {
    this.name = name;
    this.ports = ports;
    this.#onReady = onReady;
  }

  /** Connects, now or once the pause is over. */
  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  /** Ends the connection for good. */
  stop(): void {
    this.#stopped = true;
    this.drop();
  }

  /** True after `stop`. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Loses the connection, as a broken cable would; a new one follows. */
  drop(): void {
    this.#connection?.close(new ClientError('CONNECTION_CLOSED', 'dropped by the simulation'));
  }

  /** Sends on the present connection. `done` gets null when the connection was lost first; it is not called at all when there is none (false is returned). */
  send<Request, Response>(
    call: Call<Request, Response>,
    prepare: (version: number) => Request,
    options: { maxVersion?: number; answered?: boolean },
    done: (response: Response | null) => void,
  ): boolean {
    const connection = this.#connection;
    if (connection === null || connection.closed || this.ports.paused()) return false;
    connection.send(call, prepare, options, (outcome) =>
      done(outcome instanceof ClientError ? null : outcome),
    );
    return true;
  }

  /** Calls `step` after about `meanMs`, unless stopped by then. */
  later(meanMs: number, step: () => void): void {
    const { clock, random } = this.ports;
    clock.schedule(clock.monotonicMs() + random.below(2 * meanMs * 1000 + 1) / 1000, () => {
      if (!this.#stopped) step();
    });
  }

  #connect(): void {
    if (this.#stopped || this.#connection !== null) return;
    if (this.ports.paused()) return this.later(RECONNECT_MS, () => this.#connect());
    const { network, clock, address } = this.ports;
    this.#connection = new Connection(
      {
        network,
        clock,
        ...address,
        clientId: this.name,
        software: { name: 'odradek-simulator', version: '1' },
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        maxResponseBytes: MAX_RESPONSE_BYTES,
        budget: { maxBytes: MAX_RESPONSE_BYTES, usedBytes: 0 },
      },
      () => {
        this.#connection = null;
        this.later(RECONNECT_MS, () => this.#connect());
      },
    );
    this.#onReady();
  }
}
