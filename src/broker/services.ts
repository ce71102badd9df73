import type { Logger } from '../base/logger.ts';
import type { TimerWheel } from '../base/timer-wheel.ts';
import type { Clock } from '../io/clock.ts';
import type { ControllerChannel } from './controller-channel.ts';
import type { Counters } from './counters.ts';
import type { FetchSessions } from './fetch-session.ts';
import type { Authorizer, Quotas } from './hooks.ts';
import type { MetadataView } from './metadata-view.ts';
import type { Partitions } from './partitions.ts';
import type { WakeQueue } from './wake-queue.ts';

/** Configs that handlers look at, as plain values. */
export interface ServingLimits {
  /** `fetch.max.bytes`. */
  readonly fetchMaxBytes: number;
  /** `auto.create.topics.enable`. */
  readonly autoCreateTopics: boolean;
  /** `delete.topic.enable`. */
  readonly deleteTopics: boolean;
  /** `max.request.partition.size.limit`. */
  readonly maxPartitionsPerAnswer: number;
}

/** What request handlers work with. Each takes the part of it that it needs. */
export interface Services {
  readonly nodeId: number;
  readonly clusterId: string;
  readonly limits: ServingLimits;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly wakes: WakeQueue;
  readonly view: MetadataView;
  readonly partitions: Partitions;
  readonly sessions: FetchSessions;
  readonly channel: ControllerChannel;
  readonly authorizer: Authorizer;
  readonly quotas: Quotas;
  readonly counters: Counters;
  readonly logger: Logger;
}
