/**
 * Produce, versions 3–13 (ApiVersions tells 0–13, as Kafka does for old librdkafka; 0–2 are not served).
 *
 * Ordered phase: every partition's batch is handed to its append lane. Waiting phase: acks=all waits for the high watermark and holds offsets only; the frame is
 * given back as soon as the lanes are done with it.
 *
 * Omitted: transactions. There is no transaction coordinator yet, so no transaction can be open, and transactional batches are refused with what Kafka
 * answers then.
 */
import { ErrorCode } from '../../base/errors.ts';
import { Timer } from '../../base/timer-wheel.ts';
import type { AppendOutcome } from '../../log/append-request.ts';
import { ProduceRequest, ProduceResponse } from '../../protocol/messages/produce.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { AcknowledgementWaiter } from '../../replication/acknowledgement.ts';
import type { Partition } from '../../replication/partition.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import { isInternalTopic } from '../internal-topics.ts';
import { LeaderHints } from '../leader-hints.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

const ACKS_ALL = -1;
const FIRST_VERSION_WITH_TOPIC_IDS = 13;
const FIRST_VERSION_WITH_LEADER_HINTS = 10;
/** Client id that may write to internal topics. */
const ADMIN_CLIENT_ID = '__admin_client';
const BATCH_ATTRIBUTES_POSITION = 22;
const TRANSACTIONAL_BIT = 0x10;

type Response = InputOf<typeof ProduceResponse>;
type Context = RequestContext<Response>;
type TopicData = ProduceRequest['topicData'][number];
type Results = Response['responses'][number]['partitionResponses'][number];
/** One partition's part of the answer, filled in as it becomes known. */
type Result = { -readonly [K in keyof Results]: Results[K] } & { errorCode: number };

/** The handler of Produce. */
export function produceApi(services: Services): ApiHandler {
  return api({
    apiKey: 0,
    minVersion: 3,
    maxVersion: 13,
    advertisedMinVersion: 0,
    request: ProduceRequest,
    response: ProduceResponse,
    overlaps: true,
    keepsFrame: true,
    handle(context, request) {
      new ProduceCall(services, context, request).start(request);
    },
  });
}

/**
 * One request on its way; what is still to come is counted: its own start and appends, then acknowledgements. It outlives its frame and so keeps
 * nothing of the request that lies there.
 */
class ProduceCall extends Timer {
  readonly services: Services;
  readonly context: Context;
  readonly acks: number;
  readonly nowMs: number;
  readonly #timeoutMs: number;
  readonly #responses: Response['responses'][number][] = [];
  readonly #waiting: PartitionAppend[] = [];
  readonly #hints: LeaderHints | null;
  #recordBytes = 0;
  #appending = 1;
  #unacknowledged = 0;
  #failed = false;
  #released = false;

  constructor(services: Services, context: Context, request: ProduceRequest) {
    super();
    this.services = services;
    this.context = context;
    this.acks = request.acks;
    this.nowMs = services.clock.wallMs();
    this.#timeoutMs = Math.max(0, request.timeoutMs);
    this.#hints =
      context.apiVersion >= FIRST_VERSION_WITH_LEADER_HINTS
        ? new LeaderHints(services.view, context.connection.listener)
        : null;
  }

  start(request: ProduceRequest): void {
    const wholeError = this.#checkWhole(request);
    for (const topic of request.topicData) this.#startTopic(topic, wholeError);
    this.appended();
  }

  /** An error that every partition gets, or `NONE`. */
  #checkWhole({ transactionalId, topicData }: ProduceRequest): ErrorCode {
    if (this.acks < ACKS_ALL || this.acks > 1) return ErrorCode.INVALID_REQUIRED_ACKS;
    if (!topicData.some((topic) => topic.partitionData.some(({ records }) => isTransactional(records)))) {
      return ErrorCode.NONE;
    }
    const { authorizer } = this.services;
    const mayWrite =
      transactionalId !== null &&
      authorizer.authorize(this.context, AclOperation.WRITE, ResourceType.TRANSACTIONAL_ID, transactionalId);
    if (!mayWrite) return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
    return this.context.apiVersion < 11 ? ErrorCode.INVALID_TXN_STATE : ErrorCode.TRANSACTION_ABORTABLE;
  }

  #startTopic(topic: TopicData, wholeError: ErrorCode): void {
    const named = this.#nameOf(topic);
    const topicError = wholeError !== ErrorCode.NONE ? wholeError : named.errorCode;
    const results: Result[] = [];
    for (const { index, records } of topic.partitionData) {
      const result: Result = { index, errorCode: topicError, baseOffset: -1 };
      results.push(result);
      if (topicError !== ErrorCode.NONE) this.#failed = true;
      else this.#startPartition(named.name, result, records);
    }
    this.#responses.push({ name: topic.name, topicId: topic.topicId, partitionResponses: results });
  }

  #nameOf(topic: TopicData): { readonly name: string; readonly errorCode: ErrorCode } {
    let { name } = topic;
    if (this.context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS) {
      const known = this.services.view.image.topics.byId(topic.topicId);
      if (known === undefined) return { name: '', errorCode: ErrorCode.UNKNOWN_TOPIC_ID };
      name = known.name;
    }
    if (!this.services.authorizer.authorize(this.context, AclOperation.WRITE, ResourceType.TOPIC, name)) {
      return { name, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED };
    }
    if (isInternalTopic(name) && this.context.clientId !== ADMIN_CLIENT_ID) {
      return { name, errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION };
    }
    return { name, errorCode: ErrorCode.NONE };
  }

  #startPartition(topic: string, result: Result, records: Buffer | null): void {
    const partition = this.services.partitions.find(topic, result.index);
    if (partition === null) {
      this.#refuse(topic, result, this.services.partitions.whyMissing(topic, result.index));
      return;
    }
    if (records === null || records.length === 0) {
      this.#refuse(topic, result, ErrorCode.INVALID_RECORD);
      return;
    }
    this.#recordBytes += records.length;
    const item = new PartitionAppend(this, partition, result, records.length);
    this.#appending++;
    const errorCode = partition.append(
      {
        buffer: records,
        start: 0,
        end: records.length,
        origin: 'client',
        produceVersion: this.context.apiVersion,
        nowMs: this.nowMs,
        acks: this.acks,
      },
      (outcome) => this.context.guard(() => item.onAppended(outcome)),
    );
    if (errorCode === ErrorCode.NONE) return;
    this.#appending--;
    this.#refuse(topic, result, errorCode);
  }

  #refuse(topic: string, result: Result, errorCode: ErrorCode): void {
    result.errorCode = errorCode;
    this.#failed = true;
    if (errorCode !== ErrorCode.NOT_LEADER_OR_FOLLOWER || this.#hints === null) return;
    result.currentLeader = this.#hints.of(topic, result.index);
  }

  /** One append ended, or the start did. */
  appended(): void {
    if (--this.#appending > 0) return;
    this.#released = true;
    if (this.#unacknowledged === 0) {
      this.#answer();
      return;
    }
    this.context.releaseFrame();
    if (this.context.cancelled) {
      // The connection ended while the disk was at work: nobody would call `onCancelled` any more.
      this.#giveUp(ErrorCode.NONE);
      return;
    }
    this.services.counters.acknowledgementsDelayed++;
    this.services.wheel.schedule(this, this.services.clock.monotonicMs() + this.#timeoutMs);
    this.context.onCancelled = () => this.#giveUp(ErrorCode.NONE);
  }

  /** An append that acks=all has to wait for. */
  wait(item: PartitionAppend): void {
    this.#waiting.push(item);
    this.#unacknowledged++;
  }

  /** What `wait` was told of has its result. */
  acknowledged(): void {
    if (--this.#unacknowledged > 0 || !this.#released) return;
    this.services.wheel.cancel(this);
    this.#answer();
  }

  /** A partition's append or acknowledgement failed. */
  failed(item: PartitionAppend, errorCode: ErrorCode): void {
    this.#refuse(item.partition.topic, item.result, errorCode);
    this.services.counters.failedAppends++;
  }

  override onDeadline(): void {
    this.context.guard(() => {
      this.#giveUp(ErrorCode.REQUEST_TIMED_OUT);
      this.#answer();
    });
  }

  #giveUp(errorCode: ErrorCode): void {
    this.services.wheel.cancel(this);
    for (const item of this.#waiting) {
      if (!item.queued) continue;
      item.partition.giveUp(item);
      item.result.errorCode = errorCode;
      this.#failed = true;
    }
  }

  #answer(): void {
    const { context, services } = this;
    if (context.cancelled) {
      context.releaseFrame();
      return;
    }
    if (this.#failed) services.counters.api(context.apiKey).errors++;
    context.throttleMs = services.quotas.produceThrottleMs(
      context as unknown as RequestContext,
      this.#recordBytes,
    );
    if (this.acks === 0) {
      if (this.#failed) context.closeConnection();
      else context.settleSilently();
      return;
    }
    context.respond({
      responses: this.#responses,
      throttleTimeMs: context.throttleMs,
      nodeEndpoints: this.#hints?.nodes() ?? [],
    });
  }
}

/** One partition of a request: its append, and for acks=all its wait. */
class PartitionAppend extends AcknowledgementWaiter {
  readonly #call: ProduceCall;
  readonly partition: Partition;
  readonly result: Result;
  readonly #leaderEpoch: number;
  readonly #recordBytes: number;

  constructor(call: ProduceCall, partition: Partition, result: Result, recordBytes: number) {
    super();
    this.#call = call;
    this.partition = partition;
    this.result = result;
    this.#leaderEpoch = partition.leaderEpoch;
    this.#recordBytes = recordBytes;
  }

  onAppended(outcome: AppendOutcome): void {
    const { result } = this;
    result.baseOffset = outcome.baseOffset;
    result.logAppendTimeMs = outcome.logAppendTimeMs;
    result.logStartOffset = outcome.logStartOffset;
    if (outcome.errorCode !== ErrorCode.NONE) this.#refused(outcome);
    else this.#accepted(outcome);
    this.#call.appended();
  }

  #refused(outcome: AppendOutcome): void {
    // What was on its way when the replica went met a log that closes: the disk is not to blame.
    if (outcome.errorCode === ErrorCode.KAFKA_STORAGE_ERROR && this.partition.stopped) {
      this.#call.failed(this, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
      return;
    }
    this.result.errorMessage = outcome.errorMessage;
    if (outcome.recordErrors.length > 0) {
      this.result.recordErrors = outcome.recordErrors.map(({ batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      }));
    }
    this.#call.failed(this, outcome.errorCode);
  }

  #accepted(outcome: AppendOutcome): void {
    if (!outcome.duplicate) {
      const { counters } = this.#call.services;
      counters.recordsAppended += outcome.endOffset - outcome.baseOffset;
      counters.recordBytesAppended += this.#recordBytes;
    }
    if (this.#call.acks !== ACKS_ALL) return;
    this.endOffset = outcome.endOffset;
    const known = this.partition.awaitAcknowledgement(this, this.#leaderEpoch);
    if (known === null) this.#call.wait(this);
    else if (known !== ErrorCode.NONE) this.#call.failed(this, known);
  }

  override onAcknowledged(errorCode: ErrorCode): void {
    this.#call.context.guard(() => {
      if (errorCode !== ErrorCode.NONE) this.#call.failed(this, errorCode);
      this.#call.acknowledged();
    });
  }
}

function isTransactional(records: Buffer | null): boolean {
  if (records === null || records.length <= BATCH_ATTRIBUTES_POSITION) return false;
  return ((records[BATCH_ATTRIBUTES_POSITION] as number) & TRANSACTIONAL_BIT) !== 0;
}
