/**
 * Fetch sessions (KIP-227): the broker remembers which partitions a client reads, so that a request names only what changed and an answer holds only what
 * is new. formats §24.
 *
 *     sessionId  epoch  plan
 *     0          -1     all partitions of the request, no session
 *     0           0     all partitions of the request; a session is made with the answer if the cache admits it
 *     id         -1     as 0/-1, and the session ends
 *     id          0     as 0/0, and the session ends
 *     id        n > 0   the session's partitions, with the request's added, updated and forgotten; n must be the expected epoch
 */
import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { type Uuid, ZERO_UUID } from '../base/uuid.ts';
import type { ColdRead, FileRange } from '../io/disk.ts';
import type { EpochEnd } from '../log/log-read.ts';
import type { FetchRequest } from '../protocol/messages/fetch.ts';
import type { Partition, PartitionRead } from '../replication/partition.ts';
import type { Counters } from './counters.ts';

const FINAL_EPOCH = -1;
const INITIAL_EPOCH = 0;
const MAX_EPOCH = 0x7fffffff;
/** The first version that names topics by id. */
const TOPIC_ID_VERSION = 13;
/** A session that was not used for this long may be replaced by any other (`MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`). */
const EVICTION_MS = 120_000;

type RequestTopic = FetchRequest['topics'][number];
type RequestPartition = RequestTopic['partitions'][number];

/** One partition of a fetch: what the client wants, what the last read found, and, in a session, what the client was last told. */
export class FetchPartition implements PartitionRead {
  /** Empty while a topic id is unknown. */
  topic: string;
  readonly topicId: Uuid;
  readonly partition: number;
  fetchOffset = 0;
  maxBytes = 0;
  currentLeaderEpoch = -1;
  lastFetchedEpoch = -1;
  /** The replica here, as far as it was found; looked up again when it has stopped. */
  target: Partition | null = null;

  errorCode: ErrorCode = ErrorCode.NONE;
  highWatermark = -1;
  lastStableOffset = -1;
  logStartOffset = -1;
  range: FileRange | null = null;
  lengthBytes = 0;
  cold: ColdRead | null = null;
  divergingEpoch: EpochEnd | null = null;

  toldHighWatermark = -1;
  toldLogStartOffset = -1;

  constructor(topic: string, topicId: Uuid, request: RequestPartition) {
    this.topic = topic;
    this.topicId = topicId;
    this.partition = request.partition;
    this.update(request);
  }

  /** Takes what a request says of this partition. */
  update(request: RequestPartition): void {
    this.fetchOffset = request.fetchOffset;
    this.maxBytes = request.partitionMaxBytes;
    this.currentLeaderEpoch = request.currentLeaderEpoch;
    this.lastFetchedEpoch = request.lastFetchedEpoch;
  }

  /** Gives up the lease of the last read, if it was not handed on. */
  releaseRange(): void {
    this.range?.release();
    this.range = null;
  }

  /** True if an incremental answer must name this partition. */
  get hasNews(): boolean {
    return (
      this.lengthBytes > 0 ||
      this.errorCode !== ErrorCode.NONE ||
      this.divergingEpoch !== null ||
      this.highWatermark !== this.toldHighWatermark ||
      this.logStartOffset !== this.toldLogStartOffset
    );
  }

  /** Notes that the client has been told what the last read found; after an error it is told again once that is over. */
  told(): void {
    this.toldHighWatermark = this.errorCode === ErrorCode.NONE ? this.highWatermark : -1;
    this.toldLogStartOffset = this.logStartOffset;
  }
}

/** A client's session. */
export class FetchSession {
  readonly id: number;
  readonly usesTopicIds: boolean;
  /** Sessions of followers stay before those of consumers. */
  readonly privileged: boolean;
  readonly createdMs: number;
  lastUsedMs: number;
  /** Epoch the next request must have. */
  epoch = 1;
  /** In the order in which they are read; those that gave records go to the end. */
  order: FetchPartition[] = [];
  readonly #byTopic = new Map<string, Map<number, FetchPartition>>();

  constructor(init: { id: number; usesTopicIds: boolean; privileged: boolean; nowMs: number }) {
    this.id = init.id;
    this.usesTopicIds = init.usesTopicIds;
    this.privileged = init.privileged;
    this.createdMs = init.nowMs;
    this.lastUsedMs = init.nowMs;
  }

  /** Adds a partition that the session does not have; returns false when it does. */
  add(partition: FetchPartition): boolean {
    const key = this.usesTopicIds ? partition.topicId : partition.topic;
    let partitions = this.#byTopic.get(key);
    if (partitions === undefined) {
      partitions = new Map();
      this.#byTopic.set(key, partitions);
    }
    if (partitions.has(partition.partition)) return false;
    partitions.set(partition.partition, partition);
    this.order.push(partition);
    return true;
  }

  /** Applies the changes that an incremental request names. */
  update(request: FetchRequest): void {
    for (const topic of request.topics) {
      const known = this.#byTopic.get(this.usesTopicIds ? topic.topicId : topic.topic);
      for (const partition of topic.partitions) {
        const existing = known?.get(partition.partition);
        if (existing !== undefined) existing.update(partition);
        else this.add(new FetchPartition(topic.topic, topic.topicId, partition));
      }
    }
    if (request.forgottenTopicsData.length > 0) this.#forget(request);
  }

  #forget(request: FetchRequest): void {
    const forgotten = new Set<FetchPartition>();
    for (const topic of request.forgottenTopicsData) {
      const key = this.usesTopicIds ? topic.topicId : topic.topic;
      const partitions = this.#byTopic.get(key);
      if (partitions === undefined) continue;
      for (const index of topic.partitions) {
        const partition = partitions.get(index);
        if (partition === undefined) continue;
        forgotten.add(partition);
        partitions.delete(index);
      }
      if (partitions.size === 0) this.#byTopic.delete(key);
    }
    this.order = this.order.filter((partition) => !forgotten.has(partition));
  }

  /** Moves partitions that gave records behind the others, so that each gets its turn within the byte limits. */
  rotate(): void {
    const quiet = this.order.filter((partition) => partition.lengthBytes === 0);
    if (quiet.length === 0 || quiet.length === this.order.length) return;
    this.order = [...quiet, ...this.order.filter((partition) => partition.lengthBytes > 0)];
  }
}

/** What one request is to read, and how it is to be answered. */
export interface FetchPlan {
  /** Not `NONE`: a session error; the answer has nothing else. */
  readonly errorCode: ErrorCode;
  readonly partitions: readonly FetchPartition[];
  /** The session whose incremental request this is; null for full requests. */
  readonly session: FetchSession | null;
  /** True if a session is to be made with the answer. */
  readonly wantsSession: boolean;
  readonly usesTopicIds: boolean;
  readonly privileged: boolean;
}

/** Bounds of the cache. */
export interface FetchSessionLimits {
  /** `max.incremental.fetch.session.cache.slots`. */
  readonly maxSessions: number;
}

/** All sessions of a broker. */
export class FetchSessions {
  readonly #limits: FetchSessionLimits;
  readonly #random: Random;
  readonly #counters: Counters;
  readonly #byId = new Map<number, FetchSession>();

  constructor(limits: FetchSessionLimits, random: Random, counters: Counters) {
    this.#limits = limits;
    this.#random = random;
    this.#counters = counters;
  }

  /** Sessions open now. */
  get size(): number {
    return this.#byId.size;
  }

  /** Partitions remembered over all sessions. */
  get partitionCount(): number {
    let count = 0;
    for (const session of this.#byId.values()) count += session.order.length;
    return count;
  }

  /** Resolves a request's session fields. @param privileged true for a replica. @param nowMs monotonic. */
  begin(request: FetchRequest, version: number, privileged: boolean, nowMs: number): FetchPlan {
    const usesTopicIds = version >= TOPIC_ID_VERSION;
    if (request.sessionEpoch === FINAL_EPOCH || request.sessionEpoch === INITIAL_EPOCH) {
      if (request.sessionId !== 0) this.#byId.delete(request.sessionId);
      const wantsSession = request.sessionEpoch === INITIAL_EPOCH;
      return plan({ partitions: partitionsOf(request), wantsSession, usesTopicIds, privileged });
    }
    const session = this.#byId.get(request.sessionId);
    if (session === undefined) return plan({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND });
    if (session.epoch !== request.sessionEpoch) {
      return plan({ errorCode: ErrorCode.INVALID_FETCH_SESSION_EPOCH });
    }
    if (session.usesTopicIds !== usesTopicIds) {
      return plan({ errorCode: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR });
    }
    session.update(request);
    if (session.order.length === 0) {
      this.#byId.delete(session.id);
      return plan({ usesTopicIds, privileged });
    }
    session.epoch = session.epoch === MAX_EPOCH ? 1 : session.epoch + 1;
    session.lastUsedMs = nowMs;
    return plan({ partitions: session.order, session, usesTopicIds, privileged });
  }

  /**
   * Ends a plan whose partitions have been read: returns the partitions to put into the answer and the session id to name, and notes what the
   * client is told.
   */
  finish(fetchPlan: FetchPlan, nowMs: number): { sessionId: number; partitions: readonly FetchPartition[] } {
    const { session } = fetchPlan;
    if (session !== null) {
      const partitions = fetchPlan.partitions.filter((partition) => partition.hasNews);
      for (const partition of partitions) partition.told();
      session.rotate();
      return { sessionId: session.id, partitions };
    }
    if (!fetchPlan.wantsSession || fetchPlan.partitions.length === 0) {
      return { sessionId: 0, partitions: fetchPlan.partitions };
    }
    const created = this.#create(fetchPlan, nowMs);
    return { sessionId: created?.id ?? 0, partitions: created?.order.slice() ?? fetchPlan.partitions };
  }

  #create(fetchPlan: FetchPlan, nowMs: number): FetchSession | null {
    if (!this.#makeRoom(fetchPlan, nowMs)) return null;
    let id = 0;
    do id = this.#random.between(1, MAX_EPOCH);
    while (this.#byId.has(id));
    const { usesTopicIds, privileged } = fetchPlan;
    const session = new FetchSession({ id, usesTopicIds, privileged, nowMs });
    for (const partition of fetchPlan.partitions) {
      // A partition named twice is answered once, as it was named first.
      if (session.add(partition)) partition.told();
      else partition.releaseRange();
    }
    this.#byId.set(id, session);
    this.#counters.sessionsCreated++;
    return session;
  }

  /** True if there is room for a session of this plan, after evicting another if the rules allow it. */
  #makeRoom(fetchPlan: FetchPlan, nowMs: number): boolean {
    if (this.#limits.maxSessions <= 0) return false;
    if (this.#byId.size < this.#limits.maxSessions) return true;
    const victim = this.#victim(fetchPlan, nowMs);
    if (victim === null) return false;
    this.#byId.delete(victim.id);
    this.#counters.sessionsEvicted++;
    return true;
  }

  #victim(fetchPlan: FetchPlan, nowMs: number): FetchSession | null {
    let stalest: FetchSession | null = null;
    let smallest: FetchSession | null = null;
    for (const session of this.#byId.values()) {
      if (stalest === null || session.lastUsedMs < stalest.lastUsedMs) stalest = session;
      const yields =
        (fetchPlan.privileged && !session.privileged) ||
        (session.privileged === fetchPlan.privileged &&
          nowMs - session.createdMs > EVICTION_MS &&
          session.order.length < fetchPlan.partitions.length);
      if (yields && (smallest === null || session.order.length < smallest.order.length)) smallest = session;
    }
    if (stalest !== null && nowMs - stalest.lastUsedMs > EVICTION_MS) return stalest;
    return smallest;
  }

  /** Asserts what must hold between two requests. */
  checkInvariants(): void {
    assert(this.#byId.size <= Math.max(0, this.#limits.maxSessions), 'the cache has a bound');
    for (const [id, session] of this.#byId) {
      assert(id === session.id && id > 0, 'a session is found by its id');
      assert(session.order.length > 0, 'a session has partitions');
      for (const partition of session.order)
        assert(partition.range === null, 'a session at rest holds no lease');
    }
  }
}

function plan(given: Partial<FetchPlan>): FetchPlan {
  return {
    errorCode: ErrorCode.NONE,
    partitions: [],
    session: null,
    wantsSession: false,
    usesTopicIds: false,
    privileged: false,
    ...given,
  };
}

function partitionsOf(request: FetchRequest): FetchPartition[] {
  const partitions: FetchPartition[] = [];
  for (const topic of request.topics) {
    const topicId = topic.topicId === '' ? ZERO_UUID : topic.topicId;
    for (const partition of topic.partitions)
      partitions.push(new FetchPartition(topic.topic, topicId, partition));
  }
  return partitions;
}
