// Broken and hostile input over bare sockets: the connection it came on ends, no other one is touched, nothing is appended.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { ErrorCode } from '../../src/base/errors.ts';
import { Random } from '../../src/base/random.ts';
import { FETCH, METADATA, PRODUCE } from '../../src/client/apis.ts';
import type { Call } from '../../src/client/call.ts';
import type { ProduceResponse } from '../../src/protocol/messages/produce.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { BatchField, computeBatchCrc } from '../../src/records/batch.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { Admin } from '../../src/client/admin.ts';
import { OffsetSpec } from '../../src/client/list-offsets.ts';
import { realPorts } from '../harness/own-client.ts';
import { apiVersionsRequest, frame, RawConnection, request } from '../harness/raw-connection.ts';
import { startTarget, type Target, TARGET_IS_KAFKA } from '../harness/target.ts';
import { eventually, sleep } from '../harness/wait.ts';
import { freePort } from '../harness/temporary.ts';

const MAX_FRAME_BYTES = 1_048_576;
const ANSWER_TIMEOUT_MS = 5_000;
/** A started frame must be whole after a minute. */
const FRAME_DEADLINE_MS = 60_000;

function int32(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeInt32BE(value);
  return out;
}

/** What is sent, and that it ends the connection. */
const DEADLY: readonly (readonly [string, Buffer])[] = [
  ['a negative frame size', int32(-1)],
  ['a frame one byte over the limit', int32(MAX_FRAME_BYTES + 1)],
  ['the largest frame size there is', int32(0x7fffffff)],
  ['an empty frame', int32(0)],
  ['a frame shorter than a header', frame(Buffer.from([0, 18, 0]))],
  ['HTTP', Buffer.from('GET /metrics HTTP/1.1\r\nHost: broker\r\n\r\n')],
  ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
  ['an API that does not exist', frame(request(9_999, 0, 1, Buffer.alloc(0)))],
  ['an API that was removed', frame(request(4, 0, 1, Buffer.alloc(0)))],
  ['a negative API', frame(request(-1, 0, 1, Buffer.alloc(0)))],
  ['a version past the highest', frame(request(METADATA.key, METADATA.maxVersion + 1, 1, Buffer.alloc(8)))],
  ['a negative version', frame(request(METADATA.key, -1, 1, Buffer.alloc(8)))],
  ['a body cut short', frame(request(METADATA.key, 1, 1, Buffer.from([0, 0, 0, 2, 0, 1, 0x61])))],
  ['a count past the end', frame(request(METADATA.key, 1, 1, int32(0x7fffffff)))],
  ['a negative string length', frame(request(METADATA.key, 1, 1, Buffer.from([0, 0, 0, 1, 0xff, 0xf0])))],
  ['a client id past the end', frame(Buffer.from([0, 18, 0, 0, 0, 0, 0, 1, 0x7f, 0xff]))],
];

/** A connection of somebody else, who must not notice anything. */
async function witness(t: TestContext, target: Target): Promise<() => Promise<void>> {
  const connection = await RawConnection.open(target.process.port);
  t.after(() => connection.close());
  let correlationId = 0;
  return async () => {
    connection.writeFrame(apiVersionsRequest(++correlationId));
    const answer = await connection.readFrame(ANSWER_TIMEOUT_MS);
    assert.equal(answer.readInt32BE(0), correlationId);
    assert.equal(answer.readInt16BE(4), 0);
  };
}

test('bad frames end their own connection and no other', async (t) => {
  const adminPort = await freePort();
  const target = await startTarget(t, {
    'socket.request.max.bytes': String(MAX_FRAME_BYTES),
    ...(TARGET_IS_KAFKA ? {} : { 'odradek.admin.port': String(adminPort) }),
  });
  const seesNothing = await witness(t, target);
  // Its deadline passes while the rest is tried.
  const dribbler = await RawConnection.open(target.process.port);
  t.after(() => dribbler.close());
  const dribbleStarted = performance.now();
  const dribbling = setInterval(() => dribbler.write(Buffer.alloc(1)), 1_000);
  t.after(() => clearInterval(dribbling));
  dribbler.write(int32(1_000));

  for (const [name, bytes] of DEADLY) {
    await t.test(name, async () => {
      const connection = await RawConnection.open(target.process.port);
      const linesBefore = target.process.lines.length;
      connection.write(bytes);
      assert.ok(await connection.waitClosed(ANSWER_TIMEOUT_MS), 'the connection ends');
      await seesNothing();
      const said = target.process.lines.slice(linesBefore);
      if (!TARGET_IS_KAFKA) assert.ok(said.length <= 1, said.join('\n'));
    });
  }

  await t.test('an ApiVersions request in a version that does not exist is told which exist', async () => {
    const connection = await RawConnection.open(target.process.port);
    connection.writeFrame(request(18, 99, 5, Buffer.from([0])));
    const answer = await connection.readFrame(ANSWER_TIMEOUT_MS);
    assert.equal(answer.toString('hex'), '00000005' + '0023' + '00000001' + '0012' + '0000' + '0004');
    connection.writeFrame(apiVersionsRequest(6));
    assert.equal((await connection.readFrame(ANSWER_TIMEOUT_MS)).readInt32BE(0), 6);
    connection.close();
  });

  await t.test('bytes after a request are ignored, and counted', async () => {
    const connection = await RawConnection.open(target.process.port);
    for (let i = 1; i <= 3; i++) {
      connection.writeFrame(request(18, 0, i, Buffer.alloc(10, 0xab)));
      assert.equal((await connection.readFrame(ANSWER_TIMEOUT_MS)).readInt32BE(0), i);
    }
    connection.close();
    if (!TARGET_IS_KAFKA) assert.equal(await metric(adminPort, 'trailing_bytes_total'), 30);
  });

  await t.test('a frame that comes byte by byte is answered like any other', async () => {
    const connection = await RawConnection.open(target.process.port);
    for (const byte of frame(apiVersionsRequest(77))) {
      connection.write(Buffer.from([byte]));
      await sleep(5);
    }
    assert.equal((await connection.readFrame(ANSWER_TIMEOUT_MS)).readInt32BE(0), 77);
    await seesNothing();
    connection.close();
  });

  await t.test('size prefixes alone take no memory', async () => {
    const before = residentBytes(target.process.pid);
    const many = await Promise.all(
      Array.from({ length: 200 }, () => RawConnection.open(target.process.port)),
    );
    for (const connection of many)
      connection.write(Buffer.concat([int32(MAX_FRAME_BYTES), Buffer.alloc(64)]));
    await sleep(500);
    await seesNothing();
    const grown = residentBytes(target.process.pid) - before;
    // 200 MiB were announced.
    if (!TARGET_IS_KAFKA) assert.ok(grown < 40 * 1024 * 1024, `${grown} bytes`);
    for (const connection of many) connection.close();
  });

  await t.test('requests with random damage never make a handler fail', async () => {
    await damage(target);
    await seesNothing();
    if (!TARGET_IS_KAFKA) assert.equal(await metric(adminPort, 'handler_failures_total'), 0);
  });

  await t.test('a frame that is not whole at its deadline is cut', { skip: TARGET_IS_KAFKA }, async () => {
    assert.ok(await dribbler.waitClosed(FRAME_DEADLINE_MS + 15_000));
    assert.ok(performance.now() - dribbleStarted > FRAME_DEADLINE_MS - 1_000);
    await seesNothing();
  });
});

/** Sends valid requests with some bytes changed, each on a connection of its own, in batches. */
async function damage(target: Target): Promise<void> {
  const random = new Random(20_260_101);
  const encoded = <Q>(call: Call<Q, unknown>, version: number, body: Q) =>
    Buffer.concat(call.encode(version, 1, 'raw', body) as Buffer[]);
  const batch = buildBatch(
    { records: [{ key: null, value: Buffer.from('v'), timestampMs: 1 }] },
    realCompute,
  );
  const valid = [
    encoded(METADATA, 1, { topics: [{ name: 'a' }, { name: 'b' }] }),
    encoded(METADATA, 12, { topics: [{ name: 'a' }] }),
    encoded(PRODUCE, 12, {
      acks: -1,
      timeoutMs: 10,
      topicData: [{ name: 'a', partitionData: [{ index: 0, records: batch }] }],
    }),
    encoded(FETCH, 16, {
      maxWaitMs: 1,
      minBytes: 0,
      topics: [{ topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }],
    }),
  ];
  for (let round = 0; round < 40; round++) {
    await Promise.all(
      valid.map(async (bytes) => {
        const damaged = Buffer.from(bytes);
        // Past size, API key and version, so that the damage is seen by a handler or its decoder.
        for (let i = random.between(1, 4); i > 0; i--)
          damaged[random.between(8, damaged.length - 1)] = random.below(256);
        const connection = await RawConnection.open(target.process.port);
        connection.write(damaged);
        await Promise.race([connection.readFrame(300).catch(() => null), connection.waitClosed(300)]);
        connection.close();
      }),
    );
  }
}

const { ports, close } = realPorts();
const realCompute = ports.compute;

test('bad batches are refused with Kafka’s error codes, and nothing of them is in the log', async (t) => {
  t.after(close);
  const target = await startTarget(t, { 'message.max.bytes': '10000' });
  const admin = new Admin(ports, { bootstrap: [target.process.bootstrap] });
  t.after(() => admin.close());
  const [made] = await admin.createTopics([{ name: 'strict', numPartitions: 1, replicationFactor: 1 }]);
  assert.equal(made?.error, null);
  const connection = await RawConnection.open(target.process.port);
  t.after(() => connection.close());
  const produce = async (records: Buffer): Promise<number> => {
    const body = {
      acks: -1,
      timeoutMs: 5_000,
      topicData: [{ name: 'strict', partitionData: [{ index: 0, records }] }],
    };
    connection.write(Buffer.concat(PRODUCE.encode(9, 3, 'raw', body) as Buffer[]));
    const answer = await connection.readFrame(ANSWER_TIMEOUT_MS);
    const decoded: ProduceResponse = PRODUCE.decode(9, answer, 0, answer.length);
    return decoded.responses[0]?.partitionResponses[0]?.errorCode ?? -1;
  };
  const records = [0, 1, 2].map((i) => ({ key: null, value: Buffer.from(`v${i}`), timestampMs: Date.now() }));
  const good = () => buildBatch({ records }, ports.compute);
  const resealed = (change: (batch: Buffer) => void): Buffer => {
    const batch = good();
    change(batch);
    batch.writeUInt32BE(computeBatchCrc(ports.compute, batch, 0, batch.length), BatchField.crc);
    return batch;
  };
  const flipped = good();
  flipped[flipped.length - 2] = (flipped[flipped.length - 2] ?? 0) ^ 0xff;
  const big = [{ key: null, value: Buffer.alloc(20_000), timestampMs: Date.now() }];
  const old = [{ key: null, value: Buffer.from('v'), timestampMs: Date.now() + 10 * 24 * 3_600_000 }];

  const cases: readonly (readonly [string, Buffer, number])[] = [
    ['a wrong checksum', flipped, ErrorCode.CORRUPT_MESSAGE],
    ...[5, 13, 30, 61, good().length - 3].map(
      (length) =>
        [`${length} bytes of a batch`, good().subarray(0, length), ErrorCode.INVALID_RECORD] as const,
    ),
    ['no batch', Buffer.alloc(0), ErrorCode.INVALID_RECORD],
    ['two batches', Buffer.concat([good(), good()]), ErrorCode.INVALID_RECORD],
    [
      'a count that is not right',
      resealed((batch) => batch.writeInt32BE(2, BatchField.recordCount)),
      ErrorCode.INVALID_RECORD,
    ],
    [
      'a last offset that is not right',
      resealed((batch) => batch.writeInt32BE(7, BatchField.lastOffsetDelta)),
      ErrorCode.INVALID_RECORD,
    ],
    [
      'a control batch',
      resealed((batch) => batch.writeInt16BE(0x20, BatchField.attributes)),
      ErrorCode.INVALID_RECORD,
    ],
    [
      'a producer id without a sequence',
      buildBatch({ records, producerId: 5, producerEpoch: 0 }, ports.compute),
      ErrorCode.INVALID_RECORD,
    ],
    [
      'a batch over max.message.bytes',
      buildBatch({ records: big }, ports.compute),
      ErrorCode.MESSAGE_TOO_LARGE,
    ],
    [
      'a timestamp far in the future',
      buildBatch({ records: old }, ports.compute),
      ErrorCode.INVALID_TIMESTAMP,
    ],
  ];
  for (const [name, batch, expected] of cases) {
    await t.test(name, async () => assert.equal(await produce(batch), expected));
  }

  await t.test('a sequence with a gap, after one without', async () => {
    const withSequence = (baseSequence: number) =>
      buildBatch({ records, producerId: 77_000, producerEpoch: 0, baseSequence }, ports.compute);
    assert.equal(await produce(withSequence(0)), 0);
    assert.equal(await produce(withSequence(9)), ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert.equal(await produce(withSequence(0)), 0, 'a duplicate is acknowledged and not appended');
  });

  await t.test('the log holds the one good batch, and the connection lives', async () => {
    const [end] = await admin.listOffsets([
      { topic: 'strict', partition: 0, timestampMs: OffsetSpec.LATEST },
    ]);
    assert.equal(end?.offset, 3);
    assert.equal(await produce(good()), 0);
  });
});

function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(match?.[1]) * 1024;
}

/** Sum of a metric over its labels, by the end of its name. */
async function metric(adminPort: number, name: string): Promise<number> {
  return await eventually(
    `/metrics has ${name}`,
    async () => {
      const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
      const lines = (await response.text()).split('\n').filter((line) => !line.startsWith('#'));
      const found = lines.filter((line) => new RegExp(`^\\w*${name}[ {]`).test(line));
      return found.length === 0 ? null : found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    { timeoutMs: 5_000 },
  );
}
