import { int16, int32, int64, message, structs, uint32, wideInt64, type MessageOf } from '../schema.ts';

/** The file `{offset}.snapshot`: producers with their last batch. */
export const ProducerSnapshot = message(
  { name: 'ProducerSnapshot', kind: 'data', versions: '1', flexible: 'none' },
  () => ({
    crc: uint32('1'),
    producerEntries: structs('1', 'ProducerEntry', {
      producerId: int64('1'),
      epoch: int16('1'),
      lastSequence: int32('1'),
      lastOffset: int64('1'),
      offsetDelta: int32('1'),
      timestamp: wideInt64('1'),
      coordinatorEpoch: int32('1'),
      currentTxnFirstOffset: int64('1'),
    }),
  }),
);
export type ProducerSnapshot = MessageOf<typeof ProducerSnapshot>;
