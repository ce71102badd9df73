import { ErrorCode } from '../base/errors.ts';
import { ControllerApi } from '../controller/controller-request.ts';
import { forward } from './forward.ts';
import type { RequestContext } from './request-context.ts';
import type { Services } from './services.ts';

const TIMEOUT_MS = 30_000;
/** Takes the broker's `num.partitions` and `default.replication.factor`. */
const DEFAULT = -1;
/** Refusals that a client should see as they are; for all others it asks again. */
const TOLD: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.INVALID_TOPIC_EXCEPTION,
  ErrorCode.INVALID_REPLICATION_FACTOR,
  ErrorCode.POLICY_VIOLATION,
]);

/**
 * Has the controller make topics with the broker's defaults. `done` gets the error for each that could not be made; the others exist, though
 * this broker may not have caught up with that yet.
 */
export function createMissingTopics(
  services: Services,
  context: RequestContext,
  names: readonly string[],
  done: (errors: ReadonlyMap<string, ErrorCode>) => void,
): void {
  const request = {
    topics: names.map((name) => ({
      name,
      numPartitions: DEFAULT,
      replicationFactor: DEFAULT,
      assignments: [],
      configs: [],
    })),
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  };
  forward(services, ControllerApi.CREATE_TOPICS, context, request, (errorCode, response) => {
    const errors = new Map<string, ErrorCode>();
    if (response === null) {
      const told =
        errorCode === ErrorCode.NONE ? ErrorCode.UNKNOWN_SERVER_ERROR : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      for (const name of names) errors.set(name, told);
    }
    for (const topic of response?.topics ?? []) {
      if (topic.errorCode === ErrorCode.NONE) services.counters.topicsAutoCreated++;
      else if (topic.errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) {
        errors.set(
          topic.name,
          TOLD.has(topic.errorCode) ? topic.errorCode : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        );
      }
    }
    done(errors);
  });
}

/** How an internal topic is made. */
export interface InternalTopicSettings {
  readonly name: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

/** Has the controller make an internal topic; `done` is called when this broker has caught up with it, or it could not be made. */
export function createInternalTopic(
  services: Services,
  context: RequestContext,
  settings: InternalTopicSettings,
  done: () => void,
): void {
  const { logger, partitions, view } = services;
  const { name, partitionCount, replicationFactor } = settings;
  const request = {
    topics: [
      {
        name,
        numPartitions: partitionCount,
        replicationFactor,
        assignments: [],
        configs: Object.entries(settings.configs).map(([config, value]) => ({ name: config, value })),
      },
    ],
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
  };
  forward(services, ControllerApi.CREATE_TOPICS, context, request, (_errorCode, response) => {
    const failure = response?.topics.find(
      ({ errorCode }) => errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS,
    );
    if (failure !== undefined) {
      const { errorCode, errorMessage } = failure;
      logger.warn('An internal topic cannot be made', { topic: name, errorCode, why: errorMessage });
    }
    view.wait(() => {
      if (!partitions.settled) return false;
      done();
      return true;
    });
  });
}
