/**
 * DeleteRecords, versions 0–2: raises the log start of partitions (KIP-107). Answered when the new log start is in its checkpoint, so that what was deleted does not come back.
 *
 * Omitted: waiting for followers; this broker is the only replica.
 */
import { ErrorCode } from '../../base/errors.ts';
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
      let open = 1;
      const topics = request.topics.map(({ name, partitions }) => {
        const problem = whyNot(services, context as unknown as RequestContext, name);
        return {
          name,
          partitions: partitions.map(({ partitionIndex, offset }) => {
            const result: Result = { partitionIndex, lowWatermark: -1, errorCode: problem };
            if (problem !== ErrorCode.NONE) return result;
            open++;
            deleteBelow(services, name, partitionIndex, offset, (errorCode, lowWatermark) => {
              result.errorCode = errorCode;
              result.lowWatermark = lowWatermark;
              finish();
            });
            return result;
          }),
        };
      });
      function finish(): void {
        if (--open === 0 && !context.cancelled) context.respond({ throttleTimeMs: 0, topics });
      }
      finish();
    },
  });
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
