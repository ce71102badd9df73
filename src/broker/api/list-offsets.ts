/**
 * ListOffsets, versions 1–11: latest (-1), earliest (-2), by timestamp, largest timestamp (-3, v7), earliest local (-4, v8), latest tiered
 * (-5, v9), earliest pending upload (-6, v11).
 *
 * Omitted: tiered storage. Nothing is ever tiered, so -4 is the earliest offset and -5 and -6 find nothing.
 */
import { ErrorCode } from '../../base/errors.ts';
import type { TimestampAndOffset } from '../../log/log-read.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../../protocol/messages/list-offsets.ts';
import type { InputOf } from '../../protocol/schema.ts';
import type { Partition } from '../../replication/partition.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const EARLIEST_LOCAL = -4;
const LATEST_TIERED = -5;
const EARLIEST_PENDING_UPLOAD = -6;
/** First version that knows a special timestamp. */
const SPECIAL_SINCE: ReadonlyMap<number, number> = new Map([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11],
]);
const FIRST_VERSION_WITH_OFFSET_NOT_AVAILABLE = 5;
const CONSUMER_REPLICA_ID = -1;
const READ_COMMITTED = 1;

type Response = InputOf<typeof ListOffsetsResponse>;
type Context = RequestContext<Response>;
type RequestPartition = ListOffsetsRequest['topics'][number]['partitions'][number];
type Results = Response['topics'][number]['partitions'][number];
type Result = { -readonly [K in keyof Results]: Results[K] };

/** The handler of ListOffsets. */
export function listOffsetsApi(services: Services): ApiHandler {
  return api({
    apiKey: 2,
    minVersion: 1,
    maxVersion: 11,
    request: ListOffsetsRequest,
    response: ListOffsetsResponse,
    handle(context, request) {
      new ListOffsetsCall(services, context, request).start();
    },
  });
}

/** One request on its way; searches by timestamp may end later. */
class ListOffsetsCall {
  readonly #services: Services;
  readonly #context: Context;
  readonly #request: ListOffsetsRequest;
  #open = 1;
  readonly #topics: Response['topics'][number][] = [];

  constructor(services: Services, context: Context, request: ListOffsetsRequest) {
    this.#services = services;
    this.#context = context;
    this.#request = request;
  }

  start(): void {
    const { authorizer } = this.#services;
    const context = this.#context as unknown as RequestContext;
    for (const topic of this.#request.topics) {
      const allowed = authorizer.authorize(context, AclOperation.DESCRIBE, ResourceType.TOPIC, topic.name);
      const results: Result[] = [];
      const duplicates = duplicatesOf(topic.partitions);
      for (const partition of topic.partitions) {
        const result: Result = { partitionIndex: partition.partitionIndex, errorCode: ErrorCode.NONE };
        results.push(result);
        if (!allowed) result.errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
        else if (duplicates.has(partition.partitionIndex)) result.errorCode = ErrorCode.INVALID_REQUEST;
        else this.#find(topic.name, partition, result);
      }
      this.#topics.push({ name: topic.name, partitions: results });
    }
    this.#done();
  }

  #find(topic: string, wanted: RequestPartition, result: Result): void {
    const { partitions } = this.#services;
    const timestampMs = Number(wanted.timestamp);
    if (
      timestampMs < 0 &&
      (SPECIAL_SINCE.get(timestampMs) ?? Number.POSITIVE_INFINITY) > this.#context.apiVersion
    ) {
      result.errorCode = ErrorCode.UNSUPPORTED_VERSION;
      return;
    }
    const partition = partitions.find(topic, wanted.partitionIndex);
    const errorCode =
      partition?.checkLeader(wanted.currentLeaderEpoch) ??
      partitions.whyMissing(topic, wanted.partitionIndex);
    if (partition === null || errorCode !== ErrorCode.NONE) {
      result.errorCode = errorCode;
      return;
    }
    if (timestampMs === LATEST) this.#latest(partition, result);
    else if (timestampMs === EARLIEST || timestampMs === EARLIEST_LOCAL) this.#earliest(partition, result);
    else if (timestampMs === MAX_TIMESTAMP || timestampMs >= 0) this.#search(partition, timestampMs, result);
    // Tiered offsets: none, which is what an empty result says.
  }

  /** Where this client's reads stop. */
  #fetchableEnd(partition: Partition): number {
    if (this.#request.replicaId !== CONSUMER_REPLICA_ID) return partition.upperBound('log-end');
    return partition.upperBound(
      this.#request.isolationLevel === READ_COMMITTED ? 'last-stable' : 'high-watermark',
    );
  }

  /** True while a new leader does not know yet how far its predecessor had got (KIP-207). */
  #offsetsUnknown(partition: Partition): boolean {
    return (
      this.#request.replicaId === CONSUMER_REPLICA_ID && partition.epochStartOffset > partition.highWatermark
    );
  }

  #unknown(result: Result): void {
    result.errorCode =
      this.#context.apiVersion >= FIRST_VERSION_WITH_OFFSET_NOT_AVAILABLE
        ? ErrorCode.OFFSET_NOT_AVAILABLE
        : ErrorCode.LEADER_NOT_AVAILABLE;
  }

  #latest(partition: Partition, result: Result): void {
    if (this.#offsetsUnknown(partition)) {
      this.#unknown(result);
      return;
    }
    result.offset = this.#fetchableEnd(partition);
    this.#setEpoch(result, partition.leaderEpoch);
  }

  #earliest(partition: Partition, result: Result): void {
    const { log } = partition;
    if (log === null) return;
    result.offset = log.logStartOffset;
    this.#setEpoch(result, log.epochOfOffset(log.logStartOffset));
  }

  #search(partition: Partition, timestampMs: number, result: Result): void {
    const { log } = partition;
    if (log === null) return;
    this.#open++;
    const done = (errorCode: ErrorCode, found: TimestampAndOffset | null): void =>
      this.#context.guard(() => {
        this.#found(partition, result, errorCode, found);
        this.#done();
      });
    if (timestampMs === MAX_TIMESTAMP) log.offsetForMaxTimestamp(done);
    else log.offsetForTimestamp(timestampMs, done);
  }

  #found(partition: Partition, result: Result, errorCode: ErrorCode, found: TimestampAndOffset | null): void {
    result.errorCode = errorCode;
    if (errorCode !== ErrorCode.NONE) return;
    if (found === null || found.offset >= this.#fetchableEnd(partition)) {
      if (this.#offsetsUnknown(partition)) this.#unknown(result);
      return;
    }
    result.timestamp = found.timestampMs;
    result.offset = found.offset;
    this.#setEpoch(result, found.leaderEpoch);
  }

  #setEpoch(result: Result, leaderEpoch: number): void {
    if (this.#context.apiVersion >= 4) result.leaderEpoch = leaderEpoch;
  }

  #done(): void {
    if (--this.#open > 0 || this.#context.cancelled) return;
    this.#context.respond({ topics: this.#topics });
  }
}

/** Partition numbers that are named more than once. */
function duplicatesOf(partitions: readonly RequestPartition[]): ReadonlySet<number> {
  const seen = new Set<number>();
  const duplicates = new Set<number>();
  for (const { partitionIndex } of partitions) {
    if (seen.has(partitionIndex)) duplicates.add(partitionIndex);
    seen.add(partitionIndex);
  }
  return duplicates;
}
