/** The rows of formats §29 that need no transaction, against a whole broker: sequences of idempotent producers. */
import assert from 'node:assert/strict';
import { ErrorCode, errorName } from '../../src/base/errors.ts';
import { Bench, batchOf } from './records.ts';
import { testInWorlds } from './worlds.ts';

const { NONE, INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER } = ErrorCode;
const LAST = 0x7fffffff;

/** Producer id, epoch, first sequence, records; what is answered, at which offset; in this order. Offsets of what was there before are below the end. */
const ROWS: readonly (readonly [string, number, number, number, number, ErrorCode, number])[] = [
  ['a producer that is not known begins at 0', 1, 0, 0, 2, NONE, 0],
  ['the next', 1, 0, 2, 1, NONE, 2],
  ['the next again', 1, 0, 2, 1, NONE, 2],
  ['the first again', 1, 0, 0, 2, NONE, 0],
  ['the first with another number of records', 1, 0, 0, 1, OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
  ['the first two in one', 1, 0, 0, 3, OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
  ['a gap of one', 1, 0, 4, 1, OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
  ['a sequence from the middle of a batch', 1, 0, 1, 1, OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
  ['three', 1, 0, 3, 1, NONE, 3],
  ['four', 1, 0, 4, 1, NONE, 4],
  ['five', 1, 0, 5, 1, NONE, 5],
  ['the first, which is the fifth to last now, again', 1, 0, 0, 2, NONE, 0],
  ['six', 1, 0, 6, 1, NONE, 6],
  ['the first, which is the sixth to last now, again', 1, 0, 0, 2, OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
  ['the second again', 1, 0, 2, 1, NONE, 2],
  ['a new epoch that does not begin at 0', 1, 1, 7, 1, OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
  ['a new epoch', 1, 1, 0, 1, NONE, 7],
  ['the old epoch', 1, 0, 7, 1, INVALID_PRODUCER_EPOCH, -1],
  ['a duplicate of the old epoch', 1, 0, 6, 1, INVALID_PRODUCER_EPOCH, -1],
  ['the new epoch goes on', 1, 1, 1, 1, NONE, 8],
  ['an epoch that leaves out one', 1, 3, 0, 1, NONE, 9],
  ['the epoch between', 1, 2, 0, 1, INVALID_PRODUCER_EPOCH, -1],
  ['a producer that is not known may begin anywhere', 2, 0, LAST - 1, 1, NONE, 10],
  ['… and go on past the last sequence within a batch', 2, 0, LAST, 3, NONE, 11],
  ['… and behind it', 2, 0, 2, 1, NONE, 14],
  ['what crossed the last sequence, again', 2, 0, LAST, 3, NONE, 11],
  ['the last sequence alone', 2, 0, LAST, 1, OUT_OF_ORDER_SEQUENCE_NUMBER, -1],
  ['a producer in between is its own affair', 3, 7, 0, 1, NONE, 15],
  ['no producer', -1, -1, -1, 1, NONE, 16],
];

testInWorlds('sequences of producers are judged as Kafka does, also after a restart', async (world) => {
  const bench = await Bench.open(world);
  await bench.createTopic('t');
  for (const [name, producerId, producerEpoch, baseSequence, count, code, offset] of ROWS) {
    const before = world.segmentBytes('t-0');
    const values = Array.from({ length: count }, () => 'v');
    const records = batchOf(values, { producerId, producerEpoch, baseSequence }, world.wallMs());
    const result = await bench.produce('t', records);
    assert.equal(errorName(result.errorCode), errorName(code), name);
    assert.equal(result.baseOffset, offset, name);
    const isNew = code === NONE && offset === (await bench.readAll('t')).length - count;
    const grew = world.segmentBytes('t-0').length - before.length;
    assert.equal(grew > 0, isNew && !name.endsWith('again'), `${name}: ${grew} bytes more`);
  }
  await bench.restart();
  const again = async (producerId: number, producerEpoch: number, baseSequence: number) => {
    const before = world.segmentBytes('t-0').length;
    const records = batchOf(['v'], { producerId, producerEpoch, baseSequence }, world.wallMs());
    const { errorCode, baseOffset } = await bench.produce('t', records);
    return [errorName(errorCode), baseOffset, world.segmentBytes('t-0').length > before];
  };
  assert.deepEqual(await again(1, 3, 0), ['NONE', 9, false]);
  assert.deepEqual(await again(1, 2, 0), ['INVALID_PRODUCER_EPOCH', -1, false]);
  assert.deepEqual(await again(2, 0, 2), ['NONE', 14, false]);
  assert.deepEqual(await again(2, 0, 4), ['OUT_OF_ORDER_SEQUENCE_NUMBER', -1, false]);
  assert.deepEqual(await again(2, 0, 3), ['NONE', 17, true]);
});
