/**
 * Fetch, versions 4–18: sessions (KIP-227), topic ids (v13), long polls, leader hints (v16), divergence (v12).
 *
 * Records are never read: the answer names ranges of files, which the network sends from the page cache. One waiter per request: it hangs in the progress
 * lists of its partitions and on the timer wheel, and looks only at partitions that moved.
 *
 * Omitted: followers (every replica fetch is answered as from a broker that is no replica) and preferred read replicas.
 */
import { ErrorCode } from '../../base/errors.ts';
import { Timer } from '../../base/timer-wheel.ts';
import { ZERO_UUID } from '../../base/uuid.ts';
import type { AbortedTransaction } from '../../log/transaction-index.ts';
import { FetchRequest, FetchResponse } from '../../protocol/messages/fetch.ts';
import type { InputOf } from '../../protocol/schema.ts';
import type { PartitionReadOptions, ReadIsolation } from '../../replication/partition.ts';
import { ProgressLink, type ProgressWatcher } from '../../replication/progress.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import type { FetchPartition, FetchPlan } from '../fetch-session.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import { LeaderHints } from '../leader-hints.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import type { Sleeper } from '../wake-queue.ts';

const FIRST_VERSION_WITH_LEADER_HINTS = 16;
/** Clients before this version do not know KAFKA_STORAGE_ERROR. */
const FIRST_VERSION_WITH_STORAGE_ERROR = 6;
const READ_COMMITTED = 1;
/** So many times a fetch has what its lookups need brought into memory by a thread. */
const MAX_COLD_READS = 8;
const NO_RECORDS = Buffer.alloc(0);
const NO_LINKS: ProgressLink[] = [];
const NO_TRANSACTIONS: readonly AbortedTransaction[] = [];

type Response = InputOf<typeof FetchResponse>;
type Context = RequestContext<Response>;
type TopicResponse = Response['responses'][number];
type PartitionData = TopicResponse['partitions'][number];

/** The handler of Fetch. Requests that wait are completed at once after `stopWaiting`. */
export function fetchApi(services: Services, waiters: FetchWaiters): ApiHandler {
  return api({
    apiKey: 1,
    minVersion: 4,
    maxVersion: 18,
    request: FetchRequest,
    response: FetchResponse,
    handle(context, request) {
      const nowMs = services.clock.monotonicMs();
      const privileged = replicaIdOf(request, context.apiVersion) >= 0;
      const plan = services.sessions.begin(request, context.apiVersion, privileged, nowMs);
      if (plan.errorCode !== ErrorCode.NONE) {
        services.counters.api(context.apiKey).errors++;
        context.respond({ errorCode: plan.errorCode, sessionId: 0, responses: [] } as unknown as Response);
        return;
      }
      new FetchCall(services, waiters, context, request, plan).start(nowMs);
    },
  });
}

/** The fetches that wait now. */
export class FetchWaiters {
  readonly #calls = new Set<FetchCall>();
  #stopped = false;

  /** Number of fetches that wait. */
  get size(): number {
    return this.#calls.size;
  }

  /** True once nothing may wait any more. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** A fetch begins to wait. */
  add(call: FetchCall): void {
    this.#calls.add(call);
  }

  /** A fetch has ended. */
  delete(call: FetchCall): void {
    this.#calls.delete(call);
  }

  /** Answers all that wait with what is there, and lets none wait from now on. */
  stopWaiting(): void {
    this.#stopped = true;
    for (const call of this.#calls) call.onDeadline();
  }
}

/** One request on its way. */
class FetchCall extends Timer implements ProgressWatcher, Sleeper {
  readonly #services: Services;
  readonly #waiters: FetchWaiters;
  readonly #context: Context;
  readonly #plan: FetchPlan;
  readonly #isReplica: boolean;
  readonly #maxWaitMs: number;
  readonly #minBytes: number;
  readonly #maxBytes: number;
  readonly #committed: boolean;
  readonly #options: { -readonly [K in keyof PartitionReadOptions]: PartitionReadOptions[K] };
  #links: ProgressLink[] = NO_LINKS;
  /** Partitions that moved since the last look, by index; empty while not waiting. */
  #moved: Set<number> | null = null;
  /** Bytes that the partitions had when they were last looked at. */
  #availableBytes = 0;
  /** The last look at all partitions found some that the device must be asked for. */
  #anyCold = false;
  wakePending = false;

  constructor(
    services: Services,
    waiters: FetchWaiters,
    context: Context,
    request: FetchRequest,
    plan: FetchPlan,
  ) {
    super();
    this.#services = services;
    this.#waiters = waiters;
    this.#context = context;
    this.#plan = plan;
    this.#isReplica = replicaIdOf(request, context.apiVersion) >= 0;
    this.#maxWaitMs = request.maxWaitMs;
    this.#maxBytes = Math.min(request.maxBytes, services.limits.fetchMaxBytes);
    this.#minBytes = Math.min(request.minBytes, this.#maxBytes);
    this.#committed = request.isolationLevel === READ_COMMITTED;
    this.#options = {
      maxBytes: 0,
      minOneBatch: true,
      isolation: isolationOf(this.#isReplica, this.#committed),
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
      withoutWaiting: true,
    };
  }

  /** Reads, and answers or waits: first for what the device has to be asked for, then for records. */
  start(nowMs: number, coldReads = 0): void {
    // What is dropped from memory as fast as it comes there is waited for in the end.
    this.#options.withoutWaiting = coldReads < MAX_COLD_READS;
    const mustAnswer = this.#readAll();
    this.#options.withoutWaiting = false;
    if (this.#anyCold) {
      this.#releaseAll();
      this.#warm(() => this.start(this.#services.clock.monotonicMs(), coldReads + 1));
      return;
    }
    if (
      mustAnswer ||
      this.#maxWaitMs <= 0 ||
      this.#availableBytes >= this.#minBytes ||
      this.#plan.partitions.length === 0 ||
      this.#waiters.stopped
    ) {
      this.#answer();
      return;
    }
    this.#releaseAll();
    this.#wait(nowMs);
  }

  /** Has what the lookups need brought into memory by the disk's threads, then goes on. */
  #warm(goOn: () => void): void {
    const cold = this.#plan.partitions.flatMap((partition) => partition.cold ?? []);
    this.#services.counters.coldLookups += cold.length;
    let waiting = cold.length;
    for (const read of cold) {
      read.warm(() => {
        if (--waiting > 0 || this.#context.cancelled) return;
        this.#context.guard(goOn);
      });
    }
  }

  #wait(nowMs: number): void {
    this.#services.counters.fetchesDelayed++;
    this.#services.wheel.schedule(this, nowMs + this.#maxWaitMs);
    this.#waiters.add(this);
    this.#context.onCancelled = () => this.#stopWaiting();
    const { partitions } = this.#plan;
    this.#links = [];
    for (let i = 0; i < partitions.length; i++) {
      const { target } = partitions[i] as FetchPartition;
      if (target === null) continue;
      const link = new ProgressLink(this, i);
      this.#links.push(link);
      target.watch(link);
    }
  }

  #stopWaiting(): void {
    for (const link of this.#links) link.unlink();
    this.#links = NO_LINKS;
    this.#moved = null;
    this.#services.wheel.cancel(this);
    this.#waiters.delete(this);
  }

  /** See `ProgressWatcher`. */
  onProgress(link: ProgressLink): void {
    this.#moved ??= new Set();
    this.#moved.add(link.index);
    this.#services.wakes.wake(this);
  }

  /** See `Sleeper`: looks at what moved, and answers if that is enough. */
  onWake(): void {
    if (this.#links.length === 0) return;
    try {
      let mustAnswer = false;
      this.#options.minOneBatch = true;
      for (const index of this.#moved ?? []) {
        const partition = this.#plan.partitions[index] as FetchPartition;
        const before = partition.lengthBytes;
        if (this.#read(partition, this.#maxBytes)) mustAnswer = true;
        partition.releaseRange();
        this.#availableBytes += partition.lengthBytes - before;
      }
      this.#moved?.clear();
      if (mustAnswer || this.#availableBytes >= this.#minBytes) this.onDeadline();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Waited long enough: answers with what is there. */
  override onDeadline(): void {
    this.#stopWaiting();
    try {
      this.#readAll();
      this.#answer();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#stopWaiting();
    this.#releaseAll();
    this.#context.fail(error);
  }

  /** Reads all partitions within the limits. Returns true if the answer must not wait: an error or a diverging epoch. */
  #readAll(): boolean {
    let mustAnswer = false;
    let remainingBytes = this.#maxBytes;
    this.#anyCold = false;
    this.#availableBytes = 0;
    this.#options.minOneBatch = true;
    for (const partition of this.#plan.partitions) {
      if (this.#read(partition, remainingBytes)) mustAnswer = true;
      if (partition.cold !== null) this.#anyCold = true;
      if (partition.lengthBytes === 0) continue;
      this.#options.minOneBatch = false;
      this.#availableBytes += partition.lengthBytes;
      remainingBytes = Math.max(0, remainingBytes - partition.lengthBytes);
    }
    return mustAnswer;
  }

  /** Reads one partition into itself. Returns true for an error or a diverging epoch. */
  #read(partition: FetchPartition, remainingBytes: number): boolean {
    const errorCode = this.#resolve(partition);
    if (errorCode !== ErrorCode.NONE || partition.target === null) {
      failPartition(partition, errorCode);
      return true;
    }
    const options = this.#options;
    options.maxBytes = Math.min(partition.maxBytes, remainingBytes);
    options.currentLeaderEpoch = partition.currentLeaderEpoch;
    options.lastFetchedEpoch = partition.lastFetchedEpoch;
    partition.target.read(partition.fetchOffset, options, partition);
    return partition.errorCode !== ErrorCode.NONE || partition.divergingEpoch !== null;
  }

  /** Finds the replica, if it is not known from the last request of the session. */
  #resolve(partition: FetchPartition): ErrorCode {
    const { partitions, view, authorizer } = this.#services;
    if (partition.target?.stopped) partition.target = null;
    if (partition.target === null) {
      if (this.#plan.usesTopicIds) {
        const topic = partition.topicId === ZERO_UUID ? undefined : view.image.topics.byId(partition.topicId);
        if (topic === undefined) return ErrorCode.UNKNOWN_TOPIC_ID;
        partition.topic = topic.name;
        partition.target = partitions.findById(partition.topicId, partition.partition);
      } else {
        partition.target = partitions.find(partition.topic, partition.partition);
      }
    }
    const context = this.#context as unknown as RequestContext;
    const allowed = this.#isReplica
      ? authorizer.authorize(context, AclOperation.CLUSTER_ACTION, ResourceType.CLUSTER, CLUSTER_RESOURCE)
      : authorizer.authorize(context, AclOperation.READ, ResourceType.TOPIC, partition.topic);
    if (!allowed) return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    if (partition.target === null) return partitions.whyMissing(partition.topic, partition.partition);
    if (!this.#isReplica) return ErrorCode.NONE;
    return partition.currentLeaderEpoch >= 0
      ? ErrorCode.UNKNOWN_LEADER_EPOCH
      : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  #releaseAll(): void {
    for (const partition of this.#plan.partitions) partition.releaseRange();
  }

  #answer(): void {
    const { counters, quotas, sessions, clock, view } = this.#services;
    const context = this.#context;
    const throttleMs = quotas.fetchThrottleMs(context as unknown as RequestContext, this.#availableBytes);
    context.throttleMs = throttleMs;
    if (throttleMs > 0) {
      this.#releaseAll();
      context.respond({ throttleTimeMs: throttleMs, errorCode: 0, sessionId: 0, responses: [] });
      return;
    }
    const finished = sessions.finish(this.#plan, clock.monotonicMs());
    const hints =
      context.apiVersion >= FIRST_VERSION_WITH_LEADER_HINTS
        ? new LeaderHints(view, context.connection.listener)
        : null;
    const responses = this.#topics(finished.partitions, hints);
    counters.recordBytesFetched += this.#availableBytes;
    context.respond({
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      sessionId: finished.sessionId,
      responses,
      nodeEndpoints: hints?.nodes() ?? [],
    });
  }

  /** Groups neighbours of one topic; each partition's lease goes into the answer. */
  #topics(partitions: readonly FetchPartition[], hints: LeaderHints | null): TopicResponse[] {
    const topics: TopicResponse[] = [];
    let data: PartitionData[] = [];
    let last: FetchPartition | null = null;
    for (const partition of partitions) {
      if (last === null || last.topic !== partition.topic || last.topicId !== partition.topicId) {
        data = [];
        topics.push({ topic: partition.topic, topicId: partition.topicId, partitions: data });
      }
      data.push(this.#partitionData(partition, hints));
      last = partition;
    }
    return topics;
  }

  #partitionData(partition: FetchPartition, hints: LeaderHints | null): PartitionData {
    const aborted = this.#abortedIn(partition);
    const records = partition.range ?? NO_RECORDS;
    partition.range = null;
    const { errorCode } = partition;
    if (errorCode !== ErrorCode.NONE) return this.#partitionError(partition, errorCode, hints);
    return {
      partitionIndex: partition.partition,
      errorCode,
      highWatermark: partition.highWatermark,
      lastStableOffset: partition.lastStableOffset,
      logStartOffset: partition.logStartOffset,
      divergingEpoch: partition.divergingEpoch ?? undefined,
      abortedTransactions: aborted,
      records,
    };
  }

  /** The aborted transactions among the records; null for a reader that does not ask. If they cannot be told the partition fails: without them its records mean something else. */
  #abortedIn(partition: FetchPartition): readonly AbortedTransaction[] | null {
    if (!this.#committed) return null;
    const { range, target, fetchOffset, lastStableOffset } = partition;
    if (range === null || target === null) return NO_TRANSACTIONS;
    const aborted = target.log?.abortedTransactions(fetchOffset, range, lastStableOffset) ?? null;
    if (aborted !== null) return aborted;
    partition.releaseRange();
    failPartition(partition, ErrorCode.KAFKA_STORAGE_ERROR);
    return null;
  }

  #partitionError(partition: FetchPartition, errorCode: ErrorCode, hints: LeaderHints | null): PartitionData {
    this.#services.counters.api(this.#context.apiKey).errors++;
    const moved =
      errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER || errorCode === ErrorCode.FENCED_LEADER_EPOCH;
    const unknownToClient =
      errorCode === ErrorCode.KAFKA_STORAGE_ERROR &&
      this.#context.apiVersion < FIRST_VERSION_WITH_STORAGE_ERROR;
    return {
      partitionIndex: partition.partition,
      errorCode: unknownToClient ? ErrorCode.NOT_LEADER_OR_FOLLOWER : errorCode,
      highWatermark: -1,
      abortedTransactions: null,
      currentLeader: moved && hints !== null ? hints.of(partition.topic, partition.partition) : undefined,
      records: NO_RECORDS,
    };
  }
}

function isolationOf(isReplica: boolean, committed: boolean): ReadIsolation {
  if (isReplica) return 'log-end';
  return committed ? 'last-stable' : 'high-watermark';
}

function replicaIdOf(request: FetchRequest, version: number): number {
  return version >= 15 ? request.replicaState.replicaId : request.replicaId;
}

function failPartition(partition: FetchPartition, errorCode: ErrorCode): void {
  partition.errorCode = errorCode;
  partition.highWatermark = -1;
  partition.lastStableOffset = -1;
  partition.logStartOffset = -1;
  partition.lengthBytes = 0;
  partition.cold = null;
  partition.divergingEpoch = null;
}
