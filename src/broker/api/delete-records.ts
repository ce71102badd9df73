/**
 * DeleteRecords, versions 0–2: raises the log start of partitions (KIP-107). Answered when the new log start is in its checkpoint, so that what was deleted does not come back.
 *
 * Omitted: waiting for followers; this broker is the only replica.
 */
import { ErrorCode } from '../../base/errors.ts';
import { Timer } from '../../base/timer-wheel.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../../protocol/messages/delete-records.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import { isInternalTopic } from '../internal-topics.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

type Response = InputOf<typeof DeleteRecordsResponse>;
type Results = Response['topics'][number]['partitions'][number];
type Result = { -readonly [K in keyof Results]: Results[K] };

/** The handler of DeleteRecords. */
export function deleteRecordsApi(services: Services): ApiHandler {
  return api({
    apiKey: 21,
    minVersion: 0,
    maxVersion: 2,
    request: DeleteRecordsRequest,
    response: DeleteRecordsResponse,
    handle(context, request) {
      new DeleteRecordsCall(services, context).start(request);
    },
  });
}

/** One request on its way. */
class DeleteRecordsCall extends Timer {
  readonly #services: Services;
  readonly #context: RequestContext<Response>;
  #topics: { readonly name: string; readonly partitions: Result[] }[] = [];
  /** Partitions that are waited for, and one for `start`; 0 once it is answered. */
  #open = 1;

  constructor(services: Services, context: RequestContext<Response>) {
    super();
    this.#services = services;
    this.#context = context;
  }

  start(request: DeleteRecordsRequest): void {
    const { clock, wheel } = this.#services;
    this.#topics = request.topics.map(({ name, partitions }) => {
      const problem = whyNot(this.#services, this.#context as unknown as RequestContext, name);
      return { name, partitions: partitions.map((wanted) => this.#delete(name, wanted, problem)) };
    });
    this.#settled();
    if (this.#open === 0) return;
    this.#context.onCancelled = () => wheel.cancel(this);
    wheel.schedule(this, clock.monotonicMs() + Math.max(0, request.timeoutMs));
  }

  #delete(topic: string, wanted: { partitionIndex: number; offset: number }, problem: ErrorCode): Result {
    const { partitionIndex, offset } = wanted;
    const result: Result = { partitionIndex, lowWatermark: -1, errorCode: problem };
    if (problem !== ErrorCode.NONE) return result;
    // What the answer says if the time is over before.
    result.errorCode = ErrorCode.REQUEST_TIMED_OUT;
    this.#open++;
    deleteBelow(this.#services, topic, partitionIndex, offset, (errorCode, lowWatermark) => {
      if (this.#open === 0) return;
      result.errorCode = errorCode;
      result.lowWatermark = lowWatermark;
      this.#settled();
    });
    return result;
  }

  #settled(): void {
    if (--this.#open === 0) this.#answer();
  }

  /** The records are gone for readers, but it is not known yet whether they stay so. */
  override onDeadline(): void {
    this.#open = 0;
    this.#answer();
  }

  #answer(): void {
    this.#services.wheel.cancel(this);
    if (!this.#context.cancelled) this.#context.respond({ throttleTimeMs: 0, topics: this.#topics });
  }
}

function whyNot(services: Services, context: RequestContext, topic: string): ErrorCode {
  const { authorizer } = services;
  if (!authorizer.authorize(context, AclOperation.DELETE, ResourceType.TOPIC, topic)) {
    return ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  }
  return isInternalTopic(topic) ? ErrorCode.INVALID_TOPIC_EXCEPTION : ErrorCode.NONE;
}

function deleteBelow(
  { partitions }: Services,
  topic: string,
  index: number,
  offset: number,
  done: (errorCode: ErrorCode, lowWatermark: number) => void,
): void {
  const partition = partitions.find(topic, index);
  if (partition === null) done(partitions.whyMissing(topic, index), -1);
  else partition.deleteRecords(offset, done);
}
