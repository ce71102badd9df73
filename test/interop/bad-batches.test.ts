// Batches that a leader must refuse: Kafka's error code, nothing appended, and the connection lives. What Apache Kafka itself answers to
// many more of them is held against us in kafka-differences.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { Admin } from '../../src/client/admin.ts';
import { PRODUCE } from '../../src/client/apis.ts';
import { OffsetSpec } from '../../src/client/list-offsets.ts';
import { realPorts } from '../harness/own-client.ts';
import { produceCases } from '../harness/produce-cases.ts';
import { RawConnection } from '../harness/raw-connection.ts';
import { startTarget } from '../harness/target.ts';

const ANSWER_TIMEOUT_MS = 5_000;

/** Names of cases and what is answered; the last ones depend on those before them. */
const EXPECTED: readonly (readonly [string, ErrorCode])[] = [
  ['nothing', ErrorCode.INVALID_RECORD],
  ['a batch and another batch', ErrorCode.INVALID_RECORD],
  ['30 bytes of a batch of 88', ErrorCode.INVALID_RECORD],
  ['a wrong checksum', ErrorCode.CORRUPT_MESSAGE],
  ['batch length 13', ErrorCode.CORRUPT_MESSAGE],
  ['magic 1', ErrorCode.INVALID_RECORD],
  ['magic 3', ErrorCode.CORRUPT_MESSAGE],
  ['record count 2, last offset delta 2', ErrorCode.INVALID_RECORD],
  ['record count 3, last offset delta 7', ErrorCode.INVALID_RECORD],
  ['attributes: control', ErrorCode.INVALID_RECORD],
  ['a batch one byte too large', ErrorCode.MESSAGE_TOO_LARGE],
  ['timestamps: in 70 minutes', ErrorCode.INVALID_TIMESTAMP],
  ['producer 6, epoch 0, sequence -1', ErrorCode.INVALID_RECORD],
  ['producer 7, epoch 0, sequence 0', ErrorCode.NONE],
  ['producer 7, epoch 0, sequence 9', ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER],
  ['producer 7, epoch 0, sequence 0, again', ErrorCode.NONE],
];

test('bad batches are refused with Kafka’s error codes, and nothing of them is in the log', async (t) => {
  const { ports, close } = realPorts();
  t.after(close);
  const target = await startTarget(t, { 'message.max.bytes': '10000' });
  const admin = new Admin(ports, { bootstrap: [target.process.bootstrap] });
  t.after(() => admin.close());
  const [made] = await admin.createTopics([{ name: 'strict', numPartitions: 1, replicationFactor: 1 }]);
  assert.equal(made?.error, null);
  const connection = await RawConnection.open(target.process.port);
  t.after(() => connection.close());
  const produce = async (records: Buffer): Promise<ErrorCode | undefined> => {
    const topicData = [{ name: 'strict', partitionData: [{ index: 0, records }] }];
    const parts = PRODUCE.encode(9, 3, 'raw', { acks: -1, timeoutMs: 5_000, topicData });
    connection.write(Buffer.concat(parts as Buffer[]));
    const answer = await connection.readFrame(ANSWER_TIMEOUT_MS);
    return PRODUCE.decode(9, answer, 0, answer.length).responses[0]?.partitionResponses[0]?.errorCode;
  };

  const cases = new Map(produceCases(ports.compute, Date.now()).map(({ name, bytes }) => [name, bytes]));
  for (const [name, expected] of EXPECTED) {
    await t.test(name, async () => {
      const bytes = cases.get(name);
      assert.ok(bytes !== undefined, 'there is such a case');
      assert.equal(await produce(bytes), expected);
    });
  }
  await t.test('the log holds the one good batch, and the connection lives', async () => {
    const latest = { topic: 'strict', partition: 0, timestampMs: OffsetSpec.LATEST };
    const [end] = await admin.listOffsets([latest]);
    assert.equal(end?.offset, 3);
    assert.equal(await produce(cases.get('one batch') as Buffer), ErrorCode.NONE);
  });
});
