/**
 * Reads partitions from given offsets on. One fetch per leader is under way at a time, in a fetch session; while the user works on one
 * chunk of a partition the next is fetched, and no more than that is held.
 *
 * A partition goes: place known? else ask its leader (ListOffsets) → fetch → decode → chunk waits for `poll` → fetch …
 * What can pass by itself (a leader that moved, a broker that restarts) is tried again after a pause; what cannot fails the next
 * `poll`, and the partition is tried again after that.
 */
import { ErrorCode, invalidatesMetadata, isRetriable } from '../base/errors.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import type { TimerHandle } from '../io/clock.ts';
import type { FetchResponse } from '../protocol/messages/fetch.ts';
import type { RecordView } from '../records/reader.ts';
import { FETCH } from './apis.ts';
import { brokerAnswer, ClientError, type Done, promised } from './client-error.ts';
import { type ClientOptions, type ClientPorts, Cluster } from './cluster.ts';
import { decodeFetched } from './fetch-decoder.ts';
import { ClientFetchSession, type FetchTarget } from './fetch-session.ts';
import { type FoundOffset, IsolationLevel, listOffsets, OffsetSpec } from './list-offsets.ts';

/** How a consumer behaves; what is left out takes the value named here. */
export interface ConsumerOptions extends ClientOptions {
  /** How long a broker may wait for `minBytes`; default 500 ms. */
  readonly maxWaitMs?: number;
  /** Default 1. */
  readonly minBytes?: number;
  /** Bytes of one answer, about; default 50 MiB. */
  readonly maxBytes?: number;
  /** Bytes of one partition in an answer, about; default 1 MiB. */
  readonly partitionMaxBytes?: number;
  /** Where to go on when an offset is not in the log: default `error`, which fails `poll` with OFFSET_OUT_OF_RANGE. */
  readonly offsetReset?: 'earliest' | 'latest' | 'error';
  /** Default `read_uncommitted`; `read_committed` leaves out what belongs to open or aborted transactions, and stops before the first open one. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed';
}

/** A partition to read and where to begin. */
export interface Assignment {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | 'earliest' | 'latest';
}

/** Records of one partition, in order. Keys and values are views of buffers that nobody writes to again. */
export interface FetchedRecords {
  readonly topic: string;
  readonly partition: number;
  /** At least one. */
  readonly records: readonly RecordView[];
  /** Offset after the last record that consumers may see. */
  readonly highWatermark: number;
}

interface Reading {
  readonly topic: string;
  readonly partition: number;
  /** Where to look for the offset while `fetchOffset` is -1. */
  place: 'earliest' | 'latest';
  /** Next offset to fetch, -1 while it is not known. */
  fetchOffset: number;
  /** Offset after the last record that `poll` handed over; -1 before the place is known. */
  position: number;
  highWatermark: number;
  /** Nothing is asked for this partition before this monotonic time. */
  retryAtMs: number;
  /** A lookup, a fetch or a decoding is under way. */
  busy: boolean;
  chunk: FetchedRecords | null;
  nextOffset: number;
}

interface Waiter {
  readonly deadlineMs: number;
  readonly done: Done<FetchedRecords[]>;
}

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** See the head of the file. */
export class Consumer {
  readonly #cluster: Cluster;
  readonly #options: Required<Omit<ConsumerOptions, keyof ClientOptions>>;
  readonly #sessions = new Map<number, ClientFetchSession>();
  /** Brokers that a fetch is under way to. */
  readonly #fetching = new Set<number>();
  readonly #staleTopics = new Set<string>();
  #readings = new Map<string, Reading>();
  #waiter: Waiter | null = null;
  #error: ClientError | null = null;
  #refreshing = false;
  #nextRefreshMs = 0;
  #timer: TimerHandle | null = null;
  #woken = false;
  #closed = false;

  constructor(ports: ClientPorts, options: ConsumerOptions) {
    this.#cluster = new Cluster(ports, options);
    this.#options = {
      maxWaitMs: options.maxWaitMs ?? 500,
      minBytes: options.minBytes ?? 1,
      maxBytes: options.maxBytes ?? 50 * 1024 * 1024,
      partitionMaxBytes: options.partitionMaxBytes ?? 1024 * 1024,
      offsetReset: options.offsetReset ?? 'error',
      isolationLevel: options.isolationLevel ?? 'read_uncommitted',
    };
  }

  /** Replaces what is read; chunks that wait for `poll` are dropped. */
  assign(assignments: readonly Assignment[]): void {
    this.#readings = new Map(
      assignments.map(({ topic, partition, offset }) => {
        const known = typeof offset === 'number' ? offset : -1;
        const reading: Reading = {
          topic,
          partition,
          place: typeof offset === 'number' ? 'earliest' : offset,
          fetchOffset: known,
          position: known,
          highWatermark: -1,
          retryAtMs: 0,
          busy: false,
          chunk: null,
          nextOffset: -1,
        };
        return [`${topic}-${partition}`, reading];
      }),
    );
    for (const { topic } of assignments) this.#staleTopics.add(topic);
    this.#nextRefreshMs = 0;
    this.#wake();
  }

  /** Offset after the last record that was handed over, -1 while the place is not known. */
  position(topic: string, partition: number): number {
    return this.#readings.get(`${topic}-${partition}`)?.position ?? -1;
  }

  /** End of what consumers may see, as the last answer said; -1 before. */
  highWatermark(topic: string, partition: number): number {
    return this.#readings.get(`${topic}-${partition}`)?.highWatermark ?? -1;
  }

  /**
   * Hands over what has been fetched, at least one chunk, or nothing once `timeoutMs` have passed. One poll at a time. Fails with what cannot
   * pass by itself; the next poll tries again.
   */
  poll(timeoutMs: number, done: Done<FetchedRecords[]>): void {
    if (this.#closed || this.#waiter !== null) {
      const text = this.#closed ? 'the consumer is closed' : 'another poll is under way';
      this.#cluster.ports.clock.defer(() => done(new ClientError('CLOSED', text)));
      return;
    }
    this.#waiter = { deadlineMs: this.#cluster.ports.clock.monotonicMs() + timeoutMs, done };
    this.#wake();
  }

  /** As `poll`. @throws ClientError */
  fetch(timeoutMs: number): Promise<FetchedRecords[]> {
    return promised((done) => this.poll(timeoutMs, done));
  }

  /** Closes at once; a poll under way fails. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) this.#cluster.ports.clock.cancel(this.#timer);
    this.#timer = null;
    this.#cluster.close();
    const waiter = this.#waiter;
    this.#waiter = null;
    waiter?.done(new ClientError('CLOSED', 'the consumer was closed'));
  }

  /** Has `#run` called in a later turn, once. */
  #wake(): void {
    if (this.#woken || this.#closed) return;
    this.#woken = true;
    this.#cluster.ports.clock.defer(() => {
      this.#woken = false;
      if (!this.#closed) this.#run();
    });
  }

  #run(): void {
    const nowMs = this.#cluster.ports.clock.monotonicMs();
    this.#refreshIfNeeded(nowMs);
    this.#answerPoll(nowMs);
    if (this.#closed) return;
    this.#lookUpPlaces(nowMs);
    this.#fetchWhatIsWanted(nowMs);
    this.#arm(nowMs);
  }

  #answerPoll(nowMs: number): void {
    const waiter = this.#waiter;
    if (waiter === null) return;
    const chunks: FetchedRecords[] = [];
    if (this.#error === null) {
      for (const reading of this.#readings.values()) {
        if (reading.chunk === null) continue;
        chunks.push(reading.chunk);
        reading.chunk = null;
        reading.position = reading.nextOffset;
      }
    }
    if (this.#error === null && chunks.length === 0 && nowMs < waiter.deadlineMs) return;
    const outcome = this.#error ?? chunks;
    this.#error = null;
    this.#waiter = null;
    waiter.done(outcome);
  }

  #refreshIfNeeded(nowMs: number): void {
    if (this.#staleTopics.size === 0 || this.#refreshing || nowMs < this.#nextRefreshMs) return;
    const topics = [...this.#staleTopics];
    this.#staleTopics.clear();
    this.#refreshing = true;
    this.#cluster.refresh(topics, false, (error) => {
      this.#refreshing = false;
      if (this.#closed) return;
      this.#nextRefreshMs = this.#cluster.ports.clock.monotonicMs() + this.#cluster.retryBackoffMs;
      for (const topic of topics) this.#onTopic(topic, error);
      this.#wake();
    });
  }

  #onTopic(name: string, error: ClientError | null): void {
    if (error !== null) {
      this.#staleTopics.add(name);
      if (!error.retriable) this.#error ??= error;
      return;
    }
    const { metadata } = this.#cluster;
    const errorCode = metadata.topic(name)?.errorCode ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (errorCode !== ErrorCode.NONE) {
      this.#staleTopics.add(name);
      this.#error ??= brokerAnswer(`topic ${name}`, errorCode);
    }
  }

  #lookUpPlaces(nowMs: number): void {
    const lost = this.#idle(nowMs).filter(({ fetchOffset }) => fetchOffset < 0);
    if (lost.length === 0) return;
    for (const reading of lost) reading.busy = true;
    const queries = lost.map(({ topic, partition, place }) => ({
      topic,
      partition,
      timestampMs: place === 'earliest' ? OffsetSpec.EARLIEST : OffsetSpec.LATEST,
    }));
    const onFound = (found: readonly FoundOffset[]): void => {
      for (const [i, reading] of lost.entries()) {
        reading.busy = false;
        const outcome = found[i];
        if (outcome === undefined || !this.#isCurrent(reading)) continue;
        if (outcome.error === null) {
          reading.fetchOffset = outcome.offset;
          reading.position = outcome.offset;
        } else {
          this.#onError(reading, outcome.error);
        }
      }
      this.#wake();
    };
    listOffsets(this.#cluster, queries, onFound, this.#isolationLevel);
  }

  get #isolationLevel(): IsolationLevel {
    const { isolationLevel } = this.#options;
    return isolationLevel === 'read_committed'
      ? IsolationLevel.READ_COMMITTED
      : IsolationLevel.READ_UNCOMMITTED;
  }

  /** Partitions with a leader for which nothing is under way and nothing waits. */
  #idle(nowMs: number): Reading[] {
    return [...this.#readings.values()].filter((reading) => {
      if (reading.busy || reading.chunk !== null || nowMs < reading.retryAtMs) return false;
      if (this.#cluster.metadata.leader(reading.topic, reading.partition) >= 0) return true;
      this.#staleTopics.add(reading.topic);
      return false;
    });
  }

  #fetchWhatIsWanted(nowMs: number): void {
    const wanted = this.#idle(nowMs).filter(({ fetchOffset }) => fetchOffset >= 0);
    const leaderOf = ({ topic, partition }: Reading) => this.#cluster.metadata.leader(topic, partition);
    for (const [leader, readings] of Map.groupBy(wanted, leaderOf)) {
      if (!this.#fetching.has(leader)) this.#fetchFrom(leader, readings);
    }
  }

  #fetchFrom(leader: number, readings: readonly Reading[]): void {
    let session = this.#sessions.get(leader);
    if (session === undefined) this.#sessions.set(leader, (session = new ClientFetchSession()));
    const theSession = session;
    const { maxWaitMs, minBytes, maxBytes } = this.#options;
    const targets = readings.map((reading) => this.#targetOf(reading));
    const { sessionId, sessionEpoch, targets: named, forgotten } = session.next(targets);
    const request = {
      maxWaitMs,
      minBytes,
      maxBytes,
      isolationLevel: this.#isolationLevel,
      sessionId,
      sessionEpoch,
      topics: byTopic(named, ({ partition, fetchOffset, leaderEpoch, maxBytes: partitionMaxBytes }) => ({
        partition,
        fetchOffset,
        currentLeaderEpoch: leaderEpoch,
        partitionMaxBytes,
      })),
      forgottenTopicsData: byTopic(forgotten, ({ partition }) => partition),
    };
    const byId = targets.every(({ topicId }) => topicId !== ZERO_UUID);
    const options = {
      maxVersion: byId ? Number.POSITIVE_INFINITY : 12,
      timeoutMs: maxWaitMs + this.#cluster.requestTimeoutMs,
    };
    this.#fetching.add(leader);
    for (const reading of readings) reading.busy = true;
    this.#cluster.send(
      leader,
      FETCH,
      () => request,
      options,
      (answer) => {
        this.#fetching.delete(leader);
        for (const reading of readings) reading.busy = false;
        if (!this.#closed) this.#onAnswer(theSession, readings, answer);
        this.#wake();
      },
    );
  }

  #targetOf({ topic, partition, fetchOffset }: Reading): FetchTarget {
    return {
      topic,
      topicId: this.#cluster.metadata.topicId(topic),
      partition,
      fetchOffset,
      leaderEpoch: this.#cluster.metadata.leaderEpoch(topic, partition),
      maxBytes: this.#options.partitionMaxBytes,
    };
  }

  #onAnswer(
    session: ClientFetchSession,
    readings: readonly Reading[],
    answer: FetchResponse | ClientError,
  ): void {
    if (answer instanceof ClientError) {
      session.onNoAnswer();
      for (const reading of readings) this.#onError(reading, answer);
      return;
    }
    if (!session.onAnswer(answer.errorCode, answer.sessionId)) {
      const error = brokerAnswer('fetch', answer.errorCode);
      if (error.retriable) return;
      for (const reading of readings) this.#onError(reading, error);
      return;
    }
    const asked = new Set(readings);
    for (const topic of answer.responses) {
      const name = topic.topic === '' ? this.#cluster.metadata.nameOf(topic.topicId) : topic.topic;
      for (const partition of topic.partitions) {
        const reading = this.#readings.get(`${name}-${partition.partitionIndex}`);
        if (reading !== undefined && asked.has(reading)) this.#onPartition(reading, partition);
      }
    }
  }

  #onPartition(reading: Reading, answer: PartitionAnswer): void {
    const { topic, partition } = reading;
    if (answer.errorCode !== ErrorCode.NONE) {
      this.#onError(reading, brokerAnswer(`fetch of ${topic}-${partition}`, answer.errorCode));
      return;
    }
    reading.highWatermark = answer.highWatermark;
    if (answer.records === null || answer.records.length === 0) return;
    reading.busy = true;
    const request = {
      bytes: answer.records,
      fetchOffset: reading.fetchOffset,
      aborted: this.#isolationLevel === IsolationLevel.READ_COMMITTED ? answer.abortedTransactions : null,
      what: `${topic}-${partition}`,
      compute: this.#cluster.ports.compute,
    };
    decodeFetched(request, (outcome) => {
      reading.busy = false;
      this.#wake();
      if (outcome instanceof ClientError) {
        this.#onError(reading, outcome);
        return;
      }
      const { records, nextOffset } = outcome;
      const { highWatermark } = reading;
      reading.fetchOffset = nextOffset;
      reading.nextOffset = nextOffset;
      if (records.length > 0) reading.chunk = { topic, partition, records, highWatermark };
      else reading.position = nextOffset;
    });
  }

  /** Tries the partition again after a pause; what will not pass by itself fails the next poll. */
  #onError(reading: Reading, error: ClientError): void {
    reading.retryAtMs = this.#cluster.ports.clock.monotonicMs() + this.#cluster.retryBackoffMs;
    if (!this.#isCurrent(reading)) return;
    if (error.reason !== 'BROKER_ANSWER') {
      this.#staleTopics.add(reading.topic);
      if (!error.retriable) this.#error ??= error;
      return;
    }
    if (invalidatesMetadata(error.errorCode)) this.#staleTopics.add(reading.topic);
    const { offsetReset } = this.#options;
    if (error.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE && offsetReset !== 'error') {
      reading.place = offsetReset;
      reading.fetchOffset = -1;
    } else if (!isRetriable(error.errorCode)) {
      this.#error ??= error;
    }
  }

  /** False for a partition that is not assigned any more. */
  #isCurrent(reading: Reading): boolean {
    return this.#readings.get(`${reading.topic}-${reading.partition}`) === reading;
  }

  /** Has `#run` called when the next deadline passes. */
  #arm(nowMs: number): void {
    let nextMs = this.#waiter?.deadlineMs ?? Number.POSITIVE_INFINITY;
    if (this.#staleTopics.size > 0 && !this.#refreshing) nextMs = Math.min(nextMs, this.#nextRefreshMs);
    for (const reading of this.#readings.values()) {
      if (reading.retryAtMs > nowMs) nextMs = Math.min(nextMs, reading.retryAtMs);
    }
    if (this.#timer !== null) this.#cluster.ports.clock.cancel(this.#timer);
    this.#timer = null;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#cluster.ports.clock.schedule(nextMs, () => {
      this.#timer = null;
      this.#wake();
    });
  }
}

/** Partitions as the Fetch request groups them. */
function byTopic<T>(targets: readonly FetchTarget[], each: (target: FetchTarget) => T) {
  return [...Map.groupBy(targets, ({ topic }) => topic)].map(([topic, partitions]) => ({
    topic,
    topicId: partitions[0]?.topicId ?? ZERO_UUID,
    partitions: partitions.map(each),
  }));
}
