import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../base/random.ts';
import type { FileRange } from '../../disk.ts';
import type { SendPart } from '../../network.ts';
import { NodeClock } from '../clock.ts';
import { NodeDisk } from '../node-disk.ts';
import type { NodeFile } from '../node-file.ts';
import { AddonFileOperations } from './file-operations.ts';
import { addonOrSkip, connectClient, framed, listening, pattern, until } from './network-fixture.ts';

const { binding, skip } = addonOrSkip();

/** A file of a disk, filled with the bytes; it and its directory end with the test. */
async function fileOf(
  t: TestContext,
  bytes: Buffer,
  options: { maxLeaseAgeMs?: number } = {},
): Promise<NodeFile> {
  assert.ok(binding);
  const root = fs.mkdtempSync(join(tmpdir(), 'odradek-send-'));
  const disk = new NodeDisk({
    clock: new NodeClock(),
    operations: new AddonFileOperations(binding),
    ...options,
  });
  t.after(async () => {
    await new Promise<void>((done) => disk.close(done));
    fs.rmSync(root, { recursive: true });
  });
  const file = disk.open(`${root}/file`, 'create');
  await new Promise<void>((done, failed) =>
    file.append([bytes], (error) => (error === null ? done() : failed(error))),
  );
  return file;
}

/** Counts the references that are still held on leases of a file. */
function watched(range: FileRange, released: { count: number }): FileRange {
  const release = range.release.bind(range);
  range.release = () => {
    released.count++;
    release();
  };
  return range;
}

/** A range as another disk would make it: it can only be read. */
function readOnlyRange(bytes: Buffer, released: { count: number }, failAt = Infinity): FileRange {
  return {
    path: '/elsewhere',
    position: 0,
    lengthBytes: bytes.length,
    revoked: false,
    retain: () => {},
    release: () => void released.count++,
    onRevoked: () => {},
    read: (target, targetStart, offset, lengthBytes) => {
      if (offset + lengthBytes > failAt) throw new Error('EIO');
      bytes.copy(target, targetStart, offset, offset + lengthBytes);
    },
  };
}

test('bytes and file ranges of all sizes leave as one stream, in order', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const content = pattern(3_000_000, 5);
  const file = await fileOf(t, content);
  const random = new Random(21);
  const client = await connectClient(t, port);
  await until(() => recorder.opened.length === 1, 'the connection');
  const [connection] = recorder.opened as [number];
  const released = { count: 0 };
  const expected: Buffer[] = [];
  let ranges = 0;
  for (let i = 0; i < 40; i++) {
    const parts: SendPart[] = [];
    for (let part = random.between(1, 6); part > 0; part--) {
      const length = random.pick([1, 10, 4096, 4097, 8192, 8193, 50_000, 300_000, 1_500_000]);
      const start = random.below(content.length - length);
      expected.push(content.subarray(start, start + length));
      if (random.chance(0.5)) {
        parts.push(Buffer.from(content.subarray(start, start + length)));
      } else {
        parts.push(watched(file.lease(start, length), released));
        ranges++;
      }
    }
    parts.push(Buffer.alloc(0));
    network.send(connection, parts);
    if (random.chance(0.3)) await sleep(1);
  }
  const whole = Buffer.concat(expected);
  await until(() => client.receivedBytes === whole.length, 'all bytes');
  assert.ok(client.received.equals(whole));
  await until(() => released.count === ranges, 'all ranges to be released');
  assert.equal(network.unsentBytes(connection), 0);
});

test('a slow reader gets all of it; unsent bytes are told, then the drain', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const content = pattern(8 << 20, 1);
  const file = await fileOf(t, content);
  const client = await connectClient(t, port);
  client.socket.pause();
  await until(() => recorder.opened.length === 1, 'the connection');
  const [connection] = recorder.opened as [number];
  const released = { count: 0 };
  const header = Buffer.from('header');
  const large = pattern(200_000, 9);
  let unsent = 0;
  for (let i = 0; i < 4; i++)
    unsent = network.send(connection, [header, watched(file.lease(0, content.length), released), large]);
  assert.ok(unsent > 8 << 20, `${unsent} bytes are told as unsent`);
  await sleep(30);
  assert.ok(network.unsentBytes(connection) > 8 << 20);
  assert.equal(recorder.drained.length, 0);
  large.fill(0, 0, 0);
  client.socket.resume();
  const expected = Buffer.concat(Array.from({ length: 4 }, () => [header, content, large]).flat());
  await until(() => client.receivedBytes === expected.length, 'all bytes');
  assert.ok(client.received.equals(expected));
  await until(() => recorder.drained.length === 1, 'the drain');
  assert.equal(released.count, 4);
  assert.equal(network.unsentBytes(connection), 0);
  network.send(connection, [Buffer.from('small')]);
  await until(() => client.receivedBytes === expected.length + 5, 'the last bytes');
  await sleep(5);
  assert.equal(recorder.drained.length, 1, 'a send that leaves nothing unsent is no reason for a drain');
});

test('one reader of a long range does not hold up the answers to others', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const file = await fileOf(t, pattern(16 << 20));
  recorder.whenOpen = (connection) => network.setCredits(connection, 1000);
  const greedy = await connectClient(t, port);
  const modest = await connectClient(t, port);
  await until(() => recorder.opened.length === 2, 'both connections');
  recorder.whenFrame = (connection) => network.send(connection, [framed('answer')]);
  for (let i = 0; i < 8; i++) network.send(recorder.opened[0] as number, [file.lease(0, 16 << 20)]);
  let answers = 0;
  while (greedy.receivedBytes < 8 * (16 << 20)) {
    modest.socket.write(framed('question'));
    answers++;
    await until(() => modest.receivedBytes === answers * 10, 'an answer');
    await sleep(0);
  }
  assert.ok(answers >= 10, `only ${answers} questions were answered meanwhile`);
});

test('what all connections send in one turn is bounded, but small answers always leave', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const file = await fileOf(t, pattern(1_000_000));
  const clients = await Promise.all(Array.from({ length: 31 }, () => connectClient(t, port)));
  await until(() => recorder.opened.length === 31, 'the connections');
  const readers = recorder.opened.slice(0, 30);
  for (const connection of readers) network.send(connection, [file.lease(0, 1_000_000)]);
  const unsent = readers.reduce((bytes, connection) => bytes + network.unsentBytes(connection), 0);
  assert.ok(unsent >= 20_000_000, `only ${unsent} bytes were left for later turns`);
  const small = recorder.opened[30] as number;
  network.send(small, [pattern(60_000), pattern(10_000)]);
  assert.ok(network.unsentBytes(small) <= 10_000, 'the small answer did not wait');
  await until(
    () => clients.reduce((bytes, client) => bytes + client.receivedBytes, 0) === 30_070_000,
    'all bytes',
  );
});

test('a range that ends short closes the connection, with reason range', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const file = await fileOf(t, pattern(1 << 20));
  await connectClient(t, port);
  await until(() => recorder.opened.length === 1, 'the connection');
  const released = { count: 0 };
  const range = watched(file.lease(0, 1 << 20), released);
  fs.truncateSync(file.path, 500_000); // behind the disk's back
  network.send(recorder.opened[0] as number, [Buffer.from('header'), range]);
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(recorder.closed[0]?.reason, 'range');
  assert.equal(released.count, 1);
});

test('truncation under a lease that is being sent cuts the connection before the file shrinks', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const file = await fileOf(t, pattern(16 << 20));
  const client = await connectClient(t, port);
  client.socket.pause();
  await until(() => recorder.opened.length === 1, 'the connection');
  const [connection] = recorder.opened as [number];
  const released = { count: 0 };
  network.send(connection, [watched(file.lease(0, 16 << 20), released), Buffer.from('trailer')]);
  await sleep(10);
  file.truncate(100);
  assert.equal(network.send(connection, [Buffer.from('more')]), 0, 'nothing is sent any more');
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(recorder.closed[0]?.reason, 'range');
  assert.equal(released.count, 1);
  client.socket.resume();
  await until(() => client.ended, 'the reset');
  assert.equal(client.error, 'ECONNRESET');
});

test('a range that is revoked already is not sent', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const file = await fileOf(t, pattern(1000));
  const client = await connectClient(t, port);
  await until(() => recorder.opened.length === 1, 'the connection');
  const released = { count: 0 };
  const [revoked, good] = [watched(file.lease(500, 500), released), watched(file.lease(0, 100), released)];
  file.truncate(600);
  network.send(recorder.opened[0] as number, [Buffer.from('header'), revoked, good]);
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(recorder.closed[0]?.reason, 'range');
  assert.equal(released.count, 2);
  assert.equal(client.receivedBytes, 0);
});

test('ranges without a descriptor are read piece by piece, and what follows keeps its place', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const content = pattern(5_000_000, 3);
  const file = await fileOf(t, content);
  const client = await connectClient(t, port);
  client.socket.pause();
  await until(() => recorder.opened.length === 1, 'the connection');
  const [connection] = recorder.opened as [number];
  const released = { count: 0 };
  const parts = [
    Buffer.from('one'),
    readOnlyRange(content, released),
    watched(file.lease(0, 2_000_000), released),
    Buffer.from('two'),
  ];
  assert.ok(network.send(connection, parts) >= 7_000_000 - 300_000);
  network.send(connection, [readOnlyRange(content, released), Buffer.from('end')]);
  network.close(connection, 'drain');
  await sleep(10);
  client.socket.resume();
  const expected = Buffer.concat([
    Buffer.from('one'),
    content,
    content.subarray(0, 2_000_000),
    Buffer.from('two'),
    content,
    Buffer.from('end'),
  ]);
  await until(() => client.ended, 'the end');
  assert.ok(client.received.equals(expected));
  assert.equal(released.count, 3);
  assert.equal(recorder.closed[0]?.reason, 'local');
});

test('a range without a descriptor that cannot be read closes the connection', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  await connectClient(t, port);
  await until(() => recorder.opened.length === 1, 'the connection');
  const released = { count: 0 };
  network.send(recorder.opened[0] as number, [readOnlyRange(pattern(1_000_000), released, 400_000)]);
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(recorder.closed[0]?.reason, 'range');
  assert.equal(released.count, 1);
});

test('ranges are released when their connection ends, and when it had ended before', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const file = await fileOf(t, pattern(16 << 20));
  const client = await connectClient(t, port);
  client.socket.pause();
  await until(() => recorder.opened.length === 1, 'the connection');
  const [connection] = recorder.opened as [number];
  const released = { count: 0 };
  for (let i = 0; i < 3; i++) network.send(connection, [watched(file.lease(0, 16 << 20), released)]);
  await sleep(5);
  client.socket.resetAndDestroy();
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(recorder.closed[0]?.reason, 'reset');
  assert.equal(released.count, 3);
  assert.equal(network.send(connection, [watched(file.lease(0, 10), released)]), 0);
  assert.equal(released.count, 4);
});

test('a file that is not in memory is read by a thread and sent whole', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const content = pattern(6_000_000, 2);
  const file = await fileOf(t, content);
  await new Promise<void>((done) => file.flush(() => done()));
  const dropped = spawnSync('dd', [`if=${file.path}`, 'iflag=nocache', 'count=0', 'status=none']);
  const range = file.lease(0, content.length);
  const cold = binding.fileWarmth(range.acquireDescriptor(), 0, content.length, false);
  if (dropped.status !== 0 || cold !== 0)
    t.diagnostic('the page cache could not be emptied: the file was warm');
  const client = await connectClient(t, port);
  await until(() => recorder.opened.length === 1, 'the connection');
  network.send(recorder.opened[0] as number, [Buffer.from('header'), range]);
  await until(() => client.receivedBytes === content.length + 6, 'all bytes');
  assert.ok(client.received.subarray(6).equals(content));
  assert.equal(binding.fileWarmth(file.lease(0, 1).acquireDescriptor(), 0, content.length, false), 1);
});

test('a connection that ends while a thread reads for it does no harm', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const file = await fileOf(t, pattern(6_000_000, 2));
  await new Promise<void>((done) => file.flush(() => done()));
  for (let i = 0; i < 5; i++) {
    spawnSync('dd', [`if=${file.path}`, 'iflag=nocache', 'count=0', 'status=none']);
    const client = await connectClient(t, port);
    await until(() => recorder.opened.length === i + 1, 'the connection');
    network.send(recorder.opened[i] as number, [file.lease(0, 6_000_000)]);
    if (i % 2 === 0) network.close(recorder.opened[i] as number, 'now');
    else client.socket.destroy();
    await until(() => recorder.closed.length === i + 1, 'the close');
  }
  await sleep(20);
});

test('ranges leave by sendfile, small ones as a copy', { skip }, async (t) => {
  assert.ok(binding);
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' });
  } catch {
    t.skip('needs strace');
    return;
  }
  const script = join(import.meta.dirname, 'network-send.strace.ts');
  const args = ['-f', '-qq', '-c', '-e', 'trace=sendfile,sendmsg,preadv2', process.execPath, script];
  const { stderr, status, stdout } = spawnSync('strace', args, { encoding: 'utf8', timeout: 30_000 });
  assert.equal(status, 0, stderr + stdout);
  // Columns: share of time, seconds, µs per call, calls, errors if there were any, name.
  const rows = stderr.split('\n').map((line) => line.trim().split(/ +/));
  const calls = (name: string): number => Number(rows.find((row) => row.at(-1) === name)?.[3] ?? 0);
  assert.ok(calls('sendfile') >= 4, `sendfile was called ${calls('sendfile')} times`);
  assert.ok(calls('preadv2') >= 10, `preadv2 was called ${calls('preadv2')} times`);
  assert.ok(calls('sendmsg') <= 40, `sendmsg was called ${calls('sendmsg')} times`);
});
