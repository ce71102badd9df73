/**
 * A broker's membership in its cluster: registers with the controller, sends heartbeats, and leaves.
 *
 *     state          next
 *     starting       registered, once the controller has taken the registration
 *     registered     active, once a heartbeat is answered with "not fenced"
 *     active         registered, when it is fenced; leaving, on `leave`
 *     leaving        gone, once the controller says so or it takes too long
 *
 * Source: KIP-631, formats §27.
 */
import { BrokerError } from '../base/broker-error.ts';
import { ErrorCode, errorName } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { CallbackTimer, type TimerWheel } from '../base/timer-wheel.ts';
import type { Uuid } from '../base/uuid.ts';
import type { NodeEndpoint } from '../metadata/broker-registration.ts';
import { SUPPORTED_FEATURES } from '../metadata/supported-features.ts';
import type { ControllerChannel } from './controller-channel.ts';

/** Between attempts that were refused for now. */
const RETRY_MS = 100;
/** Longest wait for the controller's word that this broker may go. */
const LEAVE_TIMEOUT_MS = 5000;

/** What the broker says of itself, and how it reaches the controller. */
export interface LifecycleOptions {
  readonly brokerId: number;
  readonly clusterId: string;
  readonly incarnationId: Uuid;
  readonly rack: string | null;
  readonly endpoints: readonly NodeEndpoint[];
  readonly directoryIds: readonly Uuid[];
  /** Broker epoch of the last clean stop, -1 if it was none. */
  readonly previousBrokerEpoch: number;
  /** `broker.heartbeat.interval.ms`. */
  readonly heartbeatIntervalMs: number;
  /** Gives up registering after this long (`initial.broker.registration.timeout.ms`). */
  readonly registrationTimeoutMs: number;
  readonly channel: ControllerChannel;
  readonly wheel: TimerWheel;
  readonly monotonicMs: () => number;
  /** Offset of the last metadata record in force here. */
  readonly metadataOffset: () => number;
  readonly offlineDirectoryIds: () => readonly Uuid[];
  readonly logger: Logger;
}

/** See the table above. */
export type LifecycleState = 'starting' | 'registered' | 'active' | 'leaving' | 'gone';

/** One broker's membership. */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #timer: CallbackTimer;
  #state: LifecycleState = 'starting';
  #brokerEpoch = -1;
  #deadlineMs = 0;
  #inFlight = false;
  #onActive: ((error: BrokerError | null) => void) | null = null;
  #onGone: (() => void) | null = null;

  constructor(options: LifecycleOptions) {
    this.#options = options;
    this.#timer = new CallbackTimer(() => this.#tick());
  }

  /** Where it stands. */
  get state(): LifecycleState {
    return this.#state;
  }

  /** Epoch of this registration, -1 before it. */
  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  /** Registers and sends heartbeats from now on. `done` when the broker is unfenced for the first time, or with `REGISTRATION_FAILED`. */
  start(done: (error: BrokerError | null) => void): void {
    this.#onActive = done;
    this.#deadlineMs = this.#options.monotonicMs() + this.#options.registrationTimeoutMs;
    this.#register();
  }

  /** Tells the controller that the broker stops. `done` when it may; it is not waited for longer than five seconds. */
  leave(done: () => void): void {
    if (this.#state === 'starting' || this.#state === 'gone') {
      this.stop();
      done();
      return;
    }
    this.#state = 'leaving';
    this.#onGone = done;
    this.#deadlineMs = this.#options.monotonicMs() + LEAVE_TIMEOUT_MS;
    this.#options.wheel.cancel(this.#timer);
    this.#tick();
  }

  /** Has the next heartbeat sent now: there is something that the controller should know soon. */
  hurry(): void {
    if (this.#state !== 'registered' && this.#state !== 'active') return;
    this.#options.wheel.cancel(this.#timer);
    this.#heartbeat();
  }

  /** Ends at once, without a word to the controller. */
  stop(): void {
    this.#state = 'gone';
    this.#options.wheel.cancel(this.#timer);
    const done = this.#onGone;
    this.#onGone = null;
    done?.();
  }

  #register(): void {
    const options = this.#options;
    const request = {
      brokerId: options.brokerId,
      clusterId: options.clusterId,
      incarnationId: options.incarnationId,
      listeners: options.endpoints.map((endpoint) => ({ ...endpoint })),
      features: SUPPORTED_FEATURES.map(({ name, minLevel, maxLevel }) => ({
        name,
        minSupportedVersion: minLevel,
        maxSupportedVersion: maxLevel,
      })),
      rack: options.rack,
      isMigratingZkBroker: false,
      logDirs: [...options.directoryIds],
      previousBrokerEpoch: options.previousBrokerEpoch,
    };
    options.channel.register(request, (errorCode, response) => {
      if (this.#state !== 'starting') return;
      const code = response?.errorCode ?? errorCode;
      if (code === ErrorCode.NONE && response !== null) {
        this.#brokerEpoch = response.brokerEpoch ?? -1;
        this.#state = 'registered';
        this.#heartbeat();
      } else {
        this.#registrationRefused(code);
      }
    });
  }

  #registrationRefused(code: ErrorCode): void {
    const { wheel, monotonicMs, logger } = this.#options;
    const nowMs = monotonicMs();
    // Another incarnation whose session has not run out yet, or a controller that is not there: both may pass.
    const mayPass =
      code === ErrorCode.DUPLICATE_BROKER_REGISTRATION ||
      code === ErrorCode.NOT_CONTROLLER ||
      code === ErrorCode.REQUEST_TIMED_OUT;
    if (mayPass && nowMs + RETRY_MS < this.#deadlineMs) {
      logger.warn('The controller does not take the registration yet', { error: errorName(code) });
      wheel.schedule(this.#timer, nowMs + RETRY_MS);
      return;
    }
    this.#state = 'gone';
    const message = `the controller refuses to register this broker: ${errorName(code)}`;
    this.#becameActive(new BrokerError('REGISTRATION_FAILED', message));
  }

  #tick(): void {
    if (this.#state === 'starting') this.#register();
    else if (this.#state === 'leaving' && this.#options.monotonicMs() >= this.#deadlineMs)
      this.#gaveUpWaiting();
    else if (this.#state !== 'gone') this.#heartbeat();
  }

  #gaveUpWaiting(): void {
    this.#options.logger.warn('The controller did not let this broker go in time; it stops all the same');
    this.stop();
  }

  #heartbeat(): void {
    if (this.#inFlight) {
      this.#again(RETRY_MS);
      return;
    }
    this.#inFlight = true;
    // Leaving has its own deadline, also when no answer comes.
    if (this.#state === 'leaving') this.#again(RETRY_MS);
    const request = {
      brokerId: this.#options.brokerId,
      brokerEpoch: this.#brokerEpoch,
      currentMetadataOffset: this.#options.metadataOffset(),
      wantFence: false,
      wantShutDown: this.#state === 'leaving',
      offlineLogDirs: [...this.#options.offlineDirectoryIds()],
    };
    this.#options.channel.heartbeat(request, (errorCode, response) => {
      this.#inFlight = false;
      if (this.#state === 'gone') return;
      const code = response?.errorCode ?? errorCode;
      if (code !== ErrorCode.NONE || response === null) {
        this.#options.logger.warn('A heartbeat was refused', { error: errorName(code) });
        this.#again(RETRY_MS);
      } else if (this.#state === 'leaving') {
        if (response.shouldShutDown) this.stop();
        else this.#again(RETRY_MS);
      } else {
        this.#followFencing(response.isFenced ?? true);
      }
    });
  }

  #followFencing(isFenced: boolean): void {
    const { heartbeatIntervalMs, logger } = this.#options;
    if (isFenced) {
      if (this.#state === 'active') logger.warn('The controller has fenced this broker');
      this.#state = 'registered';
      this.#again(Math.min(RETRY_MS, heartbeatIntervalMs));
      return;
    }
    this.#state = 'active';
    this.#again(heartbeatIntervalMs);
    this.#becameActive(null);
  }

  #becameActive(error: BrokerError | null): void {
    const done = this.#onActive;
    this.#onActive = null;
    done?.(error);
  }

  #again(delayMs: number): void {
    this.#options.wheel.schedule(this.#timer, this.#options.monotonicMs() + delayMs);
  }
}
