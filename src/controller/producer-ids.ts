import { ErrorCode } from '../base/errors.ts';
import { metadataRecord } from '../metadata/metadata-record.ts';
import type { ControllerContext } from './controller-context.ts';
import type { ControllerApis, ControllerResult } from './controller-request.ts';

/** Producer ids in a block. */
export const PRODUCER_ID_BLOCK_SIZE = 1000;

/** AllocateProducerIds (KIP-730): the next block, never given out before, for a broker that shows its epoch. */
export function allocateProducerIds(
  context: ControllerContext,
  request: ControllerApis[67]['request'],
): ControllerResult<ControllerApis[67]['response']> {
  const { image } = context.state;
  const refused = (errorCode: ErrorCode) => ({
    records: [],
    response: { throttleTimeMs: 0, errorCode, producerIdStart: 0, producerIdLen: 0 },
  });
  if (image.cluster.broker(request.brokerId)?.epoch !== request.brokerEpoch) {
    return refused(ErrorCode.STALE_BROKER_EPOCH);
  }
  const producerIdStart = image.producerIds?.nextProducerId ?? 0;
  const nextProducerId = producerIdStart + PRODUCER_ID_BLOCK_SIZE;
  if (!Number.isSafeInteger(nextProducerId)) return refused(ErrorCode.UNKNOWN_SERVER_ERROR);
  return {
    records: [
      metadataRecord('ProducerIdsRecord', {
        brokerId: request.brokerId,
        brokerEpoch: request.brokerEpoch,
        nextProducerId,
      }),
    ],
    response: {
      throttleTimeMs: 0,
      errorCode: ErrorCode.NONE,
      producerIdStart,
      producerIdLen: PRODUCER_ID_BLOCK_SIZE,
    },
  };
}
