// Broken and hostile input over bare sockets: the connection it came on ends and no other one is touched.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { Random } from '../../src/base/random.ts';
import { ZERO_UUID } from '../../src/base/uuid.ts';
import { FETCH, METADATA, PRODUCE } from '../../src/client/apis.ts';
import type { Call } from '../../src/client/call.ts';
import { PortableCompute } from '../../src/io/node/portable/compute.ts';
import { buildBatch } from '../../src/records/builder.ts';
import { apiVersionsRequest, frame, RawConnection, request } from '../harness/raw-connection.ts';
import { startTarget, type Target, TARGET_IS_KAFKA } from '../harness/target.ts';
import { freePort } from '../harness/temporary.ts';
import { eventually, sleep } from '../harness/wait.ts';

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
  const isCut = await dribble(t, target);

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
  await t.test('an ApiVersions request in a version that does not exist is told which exist', () =>
    tryUnknownApiVersions(target),
  );
  await t.test('bytes after a request are ignored, and counted', async () => {
    await tryTrailingBytes(target);
    if (!TARGET_IS_KAFKA) assert.equal(await metric(adminPort, 'trailing_bytes_total'), 30);
  });
  await t.test('a frame that comes byte by byte is answered like any other', async () => {
    await trySingleBytes(target);
    await seesNothing();
  });
  await t.test('size prefixes alone take no memory', () => tryManyPrefixes(target, seesNothing));
  await t.test('requests with random damage never make a handler fail', async () => {
    await damage(target);
    await seesNothing();
    if (!TARGET_IS_KAFKA) assert.equal(await metric(adminPort, 'handler_failures_total'), 0);
  });
  await t.test('a frame that is not whole at its deadline is cut', { skip: TARGET_IS_KAFKA }, async () => {
    await isCut();
    await seesNothing();
  });
});

/** Begins a frame and sends a byte of it each second. @returns what waits for the connection to be cut, and checks when */
async function dribble(t: TestContext, target: Target): Promise<() => Promise<void>> {
  const connection = await RawConnection.open(target.process.port);
  const startedMs = performance.now();
  connection.write(int32(1_000));
  const timer = setInterval(() => connection.write(Buffer.alloc(1)), 1_000);
  t.after(() => {
    clearInterval(timer);
    connection.close();
  });
  return async () => {
    assert.ok(await connection.waitClosed(FRAME_DEADLINE_MS + 15_000));
    assert.ok(performance.now() - startedMs > FRAME_DEADLINE_MS - 1_000);
  };
}

async function tryUnknownApiVersions(target: Target): Promise<void> {
  const connection = await RawConnection.open(target.process.port);
  connection.writeFrame(request(18, 99, 5, Buffer.from([0])));
  const answer = await connection.readFrame(ANSWER_TIMEOUT_MS);
  assert.equal(answer.toString('hex'), '00000005' + '0023' + '00000001' + '0012' + '0000' + '0004');
  connection.writeFrame(apiVersionsRequest(6));
  assert.equal((await connection.readFrame(ANSWER_TIMEOUT_MS)).readInt32BE(0), 6);
  connection.close();
}

async function tryTrailingBytes(target: Target): Promise<void> {
  const connection = await RawConnection.open(target.process.port);
  for (let i = 1; i <= 3; i++) {
    connection.writeFrame(request(18, 0, i, Buffer.alloc(10, 0xab)));
    assert.equal((await connection.readFrame(ANSWER_TIMEOUT_MS)).readInt32BE(0), i);
  }
  connection.close();
}

async function trySingleBytes(target: Target): Promise<void> {
  const connection = await RawConnection.open(target.process.port);
  for (const byte of frame(apiVersionsRequest(77))) {
    connection.write(Buffer.from([byte]));
    await sleep(5);
  }
  assert.equal((await connection.readFrame(ANSWER_TIMEOUT_MS)).readInt32BE(0), 77);
  connection.close();
}

async function tryManyPrefixes(target: Target, seesNothing: () => Promise<void>): Promise<void> {
  const before = residentBytes(target.process.pid);
  const many = await Promise.all(Array.from({ length: 200 }, () => RawConnection.open(target.process.port)));
  for (const connection of many) connection.write(Buffer.concat([int32(MAX_FRAME_BYTES), Buffer.alloc(64)]));
  await sleep(500);
  await seesNothing();
  const grown = residentBytes(target.process.pid) - before;
  // 200 MiB were announced.
  if (!TARGET_IS_KAFKA) assert.ok(grown < 40 * 1024 * 1024, `${grown} bytes`);
  for (const connection of many) connection.close();
}

/** Sends valid requests with some bytes changed, each on a connection of its own, in batches. */
async function damage(target: Target): Promise<void> {
  const random = new Random(20_260_101);
  const encoded = <Q>(call: Call<Q, unknown>, version: number, body: Q) =>
    Buffer.concat(call.encode(version, 1, 'raw', body) as Buffer[]);
  const batch = buildBatch(
    { records: [{ key: null, value: Buffer.from('v'), timestampMs: 1 }] },
    new PortableCompute(),
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
