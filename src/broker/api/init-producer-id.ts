/**
 * InitProducerId, versions 0–5 (6 is unstable in Kafka 4.2 and hidden): ids for idempotent producers, epoch always 0.
 *
 * Omitted: transactional ids. There is no transaction coordinator yet and FindCoordinator finds none, so no well-behaved client gets here; who asks all the same is told
 * UNSUPPORTED_VERSION, which clients treat as fatal, rather than an error that says to try again for ever.
 */
import { ErrorCode } from '../../base/errors.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../../protocol/messages/init-producer-id.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import type { ProducerIds } from '../producer-ids.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

const NONE = -1;

/** The handler of InitProducerId. */
export function initProducerIdApi(services: Services, producerIds: ProducerIds): ApiHandler {
  return api({
    apiKey: 22,
    minVersion: 0,
    maxVersion: 5,
    request: InitProducerIdRequest,
    response: InitProducerIdResponse,
    handle(context, request) {
      const refusal = refusalOf(services, context as unknown as RequestContext, request);
      if (refusal !== ErrorCode.NONE) {
        context.respond({ errorCode: refusal, producerId: NONE, producerEpoch: NONE });
        return;
      }
      producerIds.allocate((errorCode, producerId) => {
        if (context.cancelled) return;
        context.respond({ errorCode, producerId, producerEpoch: errorCode === ErrorCode.NONE ? 0 : NONE });
      });
    },
  });
}

function refusalOf(services: Services, context: RequestContext, request: InitProducerIdRequest): ErrorCode {
  const { transactionalId, producerId, producerEpoch } = request;
  if (transactionalId === '') return ErrorCode.INVALID_REQUEST;
  if (transactionalId !== null) return ErrorCode.UNSUPPORTED_VERSION;
  const allowed = services.authorizer.authorize(
    context,
    AclOperation.IDEMPOTENT_WRITE,
    ResourceType.CLUSTER,
    CLUSTER_RESOURCE,
  );
  if (!allowed) return ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  return (producerId === NONE) === (producerEpoch === NONE) ? ErrorCode.NONE : ErrorCode.INVALID_REQUEST;
}
