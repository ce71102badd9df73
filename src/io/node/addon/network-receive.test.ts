import assert from 'node:assert/strict';
import type net from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../base/random.ts';
import {
  addonOrSkip,
  connectClient,
  framed,
  limits as testLimits,
  listening,
  pattern,
  Recorder,
  until,
} from './network-fixture.ts';

const { binding, skip } = addonOrSkip();

test('frames that are split at every byte arrive whole and in order', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  recorder.whenOpen = (connection) => network.setCredits(connection, 1000);
  const client = await connectClient(t, port);
  const stream = Buffer.concat([framed('first'), framed(''), framed('the third')]);
  for (let split = 1; split < stream.length; split++) {
    client.socket.write(stream.subarray(0, split));
    await until(() => client.socket.writableLength === 0, 'the write');
    await sleep(1);
    client.socket.write(stream.subarray(split));
    await until(() => recorder.frames.length >= 3 * split, 'the frames');
    const last = recorder.frames.slice(-3).map((frame) => frame.bytes.toString());
    assert.deepEqual(last, ['first', '', 'the third'], `split at ${split}`);
  }
});

test('frames of all sizes arrive whole, however the stream is cut', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port, limits } = listening(t, binding);
  const random = new Random(7);
  const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 1 << 20, 3_000_001, 100, 5, 70_000];
  const credits = [1, 3, 1000];
  recorder.whenOpen = (connection) => network.setCredits(connection, 1);
  recorder.whenFrame = (connection) => network.setCredits(connection, random.pick(credits));
  const client = await connectClient(t, port);
  const sent: Buffer[] = [];
  for (let i = 0; i < 60; i++)
    sent.push(pattern(i < sizes.length ? (sizes[i] as number) : random.below(20_000), i));
  const stream = Buffer.concat(sent.map(framed));
  for (let at = 0; at < stream.length; ) {
    const length = random.chance(0.3) ? random.between(1, 3000) : random.between(1, 400_000);
    client.socket.write(stream.subarray(at, at + length));
    at += length;
    if (random.chance(0.3)) await sleep(1);
  }
  await until(() => recorder.frames.length === sent.length, 'all frames');
  sent.forEach((bytes, i) => assert.ok(bytes.equals(recorder.frames[i]?.bytes as Buffer), `frame ${i}`));
  assert.equal(limits.budget.usedBytes, 0, 'nothing is held any more');
});

test('frames of one wake-up come in one call', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  recorder.whenOpen = (connection) => network.setCredits(connection, 1000);
  const client = await connectClient(t, port);
  client.socket.write(Buffer.concat(Array.from({ length: 200 }, (_, i) => framed(`frame ${i}`))));
  await until(() => recorder.frames.length === 200, 'the frames');
  assert.ok(recorder.wakeUps.length <= 2, `took ${recorder.wakeUps.length} calls`);
});

test('no more frames are handed over than there are credits', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const client = await connectClient(t, port);
  client.socket.write(Buffer.concat(Array.from({ length: 20 }, (_, i) => framed(`frame ${i}`))));
  await until(() => recorder.opened.length === 1, 'the connection');
  await sleep(20);
  assert.equal(recorder.frames.length, 0, 'a connection has no credits at first');
  const [connection] = recorder.opened as [number];
  for (let handed = 0; handed < 20; handed += 4) {
    network.setCredits(connection, 4);
    await until(() => recorder.frames.length >= handed + 4, 'four frames');
    await sleep(5);
    assert.equal(recorder.frames.length, handed + 4);
  }
  assert.deepEqual(
    recorder.frames.map((frame) => frame.bytes.toString()),
    Array.from({ length: 20 }, (_, i) => `frame ${i}`),
  );
});

test('connections whose budget goes first are handled before others that woke earlier', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const budget = { maxBytes: 1 << 20, usedBytes: 0, first: true };
  const first = new Recorder();
  const listener = network.listen({
    host: '127.0.0.1',
    port: 0,
    limits: testLimits({ budget }),
    handler: first,
  });
  const order: string[] = [];
  recorder.whenOpen = first.whenOpen = (connection) => network.setCredits(connection, 1000);
  recorder.whenFrame = () => order.push('other');
  first.whenFrame = () => order.push('first');
  const others = [await connectClient(t, port), await connectClient(t, port)];
  const favoured = await connectClient(t, listener.port);
  await until(() => recorder.opened.length === 2 && first.opened.length === 1, 'the connections');
  for (let round = 0; round < 5; round++) {
    order.length = 0;
    // Written before the loop looks again, so that all of it is one wake-up.
    for (const client of [...others, favoured]) client.socket.write(framed('x'));
    await until(() => order.length === 3, 'the frames');
    assert.deepEqual(order, ['first', 'other', 'other']);
  }
});

test('retained frames outlive the call, small ones as copies and large ones with their buffer', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const retained: Buffer[] = [];
  recorder.whenOpen = (connection) => network.setCredits(connection, 1000);
  recorder.whenFrame = (_, frames, i) => {
    const buffer = frames.retain(i);
    assert.equal(frames.retain(i), buffer, 'retained once');
    assert.equal(frames.buffer(i), buffer);
    assert.equal(frames.end(i) - frames.start(i), buffer.length);
    retained.push(buffer);
  };
  const client = await connectClient(t, port);
  const sent = [10, 300_000, 20, 300_000, 300_000, 2_000_000, 64, 300_000].map((size, i) => pattern(size, i));
  for (const bytes of sent) {
    client.socket.write(framed(bytes));
    await sleep(1);
  }
  await until(() => retained.length === sent.length, 'the frames');
  sent.forEach((bytes, i) => assert.ok(bytes.equals(retained[i] as Buffer), `frame ${i}`));
});

test('a length prefix makes nobody allocate more than has arrived and a bound', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port, limits } = listening(t, binding);
  recorder.whenOpen = (connection) => network.setCredits(connection, 10);
  const client = await connectClient(t, port);
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(90 << 20);
  client.socket.write(Buffer.concat([prefix, Buffer.alloc(100)]));
  await until(() => limits.budget.usedBytes > 0, 'the first bytes');
  assert.ok(limits.budget.usedBytes <= 1024, `${limits.budget.usedBytes} bytes for 100`);
  for (let arrived = 100; arrived < 4 << 20; ) {
    client.socket.write(Buffer.alloc(300_000));
    arrived += 300_000;
    await until(() => limits.budget.usedBytes >= arrived, 'the next bytes');
    await sleep(1);
    const { usedBytes } = limits.budget;
    assert.ok(usedBytes <= 2 * arrived + (1 << 20), `${usedBytes} bytes for ${arrived}`);
  }
  client.socket.destroy();
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(limits.budget.usedBytes, 0);
});

for (const size of [-1, -2147483648, 1_000_001, 2147483647]) {
  test(`a size prefix of ${size} ends the connection, after the frames before it`, { skip }, async (t) => {
    assert.ok(binding);
    const { network, recorder, port } = listening(t, binding, { maxFrameBytes: 1_000_000 });
    recorder.whenOpen = (connection) => network.setCredits(connection, 10);
    const client = await connectClient(t, port);
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(size);
    client.socket.write(Buffer.concat([framed('good'), prefix, Buffer.from('more')]));
    await until(() => recorder.closed.length === 1, 'the close');
    assert.equal(recorder.frames.length, 1);
    assert.equal(recorder.closed[0]?.reason, 'frame-size');
    assert.match(recorder.closed[0]?.detail ?? '', new RegExp(`${size} bytes, allowed are 0 to 1000000`));
    await until(() => client.ended, 'the end of the stream');
  });
}

test('a frame that dribbles past its deadline is cut', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding, { frameTimeoutMs: 120 });
  recorder.whenOpen = (connection) => network.setCredits(connection, 10);
  const dribbler = await connectClient(t, port);
  const began = Date.now();
  const bytes = framed(pattern(1000));
  for (let at = 0; recorder.closed.length === 0 && at < bytes.length; at++) {
    dribbler.socket.write(bytes.subarray(at, at + 1));
    await sleep(2);
  }
  assert.equal(recorder.closed[0]?.reason, 'frame-timeout');
  assert.ok(Date.now() - began >= 110, 'not before the deadline');
});

test('the deadline of a frame does not count while there are no credits', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port, limits } = listening(t, binding, { frameTimeoutMs: 60 });
  const frame = framed('waits for credits');
  recorder.whenOpen = (connection) => network.setCredits(connection, 1);
  const begun = await connectClient(t, port);
  begun.socket.write(frame.subarray(0, 9));
  await until(() => limits.budget.usedBytes > 0, 'the start of the frame');
  network.setCredits(recorder.opened[0] as number, 0);
  recorder.whenOpen = () => {};
  const unread = await connectClient(t, port);
  unread.socket.write(frame.subarray(0, 9));
  await sleep(150);
  assert.equal(recorder.closed.length, 0);
  for (const [i, client] of [begun, unread].entries()) {
    network.setCredits(recorder.opened[i] as number, 1);
    client.socket.write(frame.subarray(9));
    await until(() => recorder.frames.length === i + 1, 'the frame');
  }
});

test('whoever sends whole frames slowly but in time is not cut', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding, { frameTimeoutMs: 500 });
  recorder.whenOpen = (connection) => network.setCredits(connection, 1000);
  const client = await connectClient(t, port);
  for (let i = 0; i < 20; i++) {
    client.socket.write(framed('abc').subarray(0, 5));
    await sleep(30);
    client.socket.write(framed('abc').subarray(5));
  }
  await until(() => recorder.frames.length === 20, 'the frames');
  assert.equal(recorder.closed.length, 0);
});

test('past the shared budget one connection goes on at a time, and all come through', { skip }, async (t) => {
  assert.ok(binding);
  const budget = { maxBytes: 3 << 20, usedBytes: 0 };
  const { network, recorder, port } = listening(t, binding, { budget });
  let most = 0;
  recorder.whenOpen = (connection) => network.setCredits(connection, 1000);
  const watch = setInterval(() => (most = Math.max(most, budget.usedBytes)), 1);
  t.after(() => clearInterval(watch));
  const frame = framed(pattern(2_000_000));
  const clients = await Promise.all(Array.from({ length: 12 }, () => connectClient(t, port)));
  // In pieces, so that the sockets of those that wait wake them again and again.
  for (let at = 0; at < frame.length; at += 200_000) {
    for (const { socket } of clients) socket.write(frame.subarray(at, at + 200_000));
    await sleep(2);
  }
  await until(() => recorder.frames.length === clients.length, 'all frames');
  for (const { bytes } of recorder.frames) assert.ok(bytes.equals(frame.subarray(4)));
  assert.ok(most <= budget.maxBytes + 2 * (2 << 20), `${most} bytes were held`);
  assert.equal(budget.usedBytes, 0);
});

test('whoever waits for the budget gets its turn, though the one before it has lost its credits', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const budget = { maxBytes: 1000, usedBytes: 0 };
  const { network, recorder, port } = listening(t, binding, { budget, frameTimeoutMs: 60_000 });
  recorder.whenOpen = (connection) => network.setCredits(connection, 1);
  const frame = framed(pattern(3000));
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(t, port)));
  await until(() => recorder.opened.length === 20, 'the connections');
  for (const { socket } of clients) socket.write(frame.subarray(0, 2000));
  await until(() => budget.usedBytes > 1000, 'the budget to be used up');
  for (let round = 0; round < 5; round++) {
    for (const connection of recorder.opened) network.setCredits(connection, (connection + round) % 2);
    for (const { socket } of clients) socket.write(frame.subarray(2000 + round * 100, 2100 + round * 100));
    await sleep(2);
  }
  for (const { socket } of clients) socket.write(frame.subarray(2500));
  for (const connection of recorder.opened) network.setCredits(connection, 1);
  await until(() => recorder.frames.length === 20, 'all frames');
  assert.equal(budget.usedBytes, 0);
});

test('a connection that its socket wakes before its turn for the budget does not wait on for that turn', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const budget = { maxBytes: 1000, usedBytes: 0 };
  const { network, recorder, port } = listening(t, binding, { budget, frameTimeoutMs: 60_000 });
  recorder.whenOpen = (connection) => network.setCredits(connection, recorder.opened.length === 1 ? 1 : 10);
  const clients = [];
  for (let i = 0; i < 4; i++) clients.push((await connectClient(t, port)).socket);
  const [muted, first, second, third] = clients as [net.Socket, net.Socket, net.Socket, net.Socket];
  const frame = framed(pattern(3000));
  muted.write(Buffer.concat([frame, frame]));
  await until(() => budget.usedBytes > 1000, 'the budget to be used up for good');
  first.write(frame.subarray(0, 100));
  await until(() => budget.usedBytes > 3004, 'the first to read on');
  second.write(frame.subarray(0, 100));
  third.write(frame.subarray(0, 100));
  await sleep(5); // both wait now
  first.write(frame.subarray(100));
  third.end(Buffer.concat([frame.subarray(100), frame.subarray(0, 50)]));
  await until(() => recorder.closed.length === 1, 'the end of the third');
  second.write(frame.subarray(100));
  await until(() => recorder.frames.length === 4, 'the frame of the second');
});

test('a muted connection that holds bytes of the budget does not stop the others', { skip }, async (t) => {
  assert.ok(binding);
  const budget = { maxBytes: 50_000, usedBytes: 0 };
  const { network, recorder, port } = listening(t, binding, { budget });
  recorder.whenOpen = (connection) => network.setCredits(connection, 1);
  const muted = await connectClient(t, port);
  muted.socket.write(Buffer.concat(Array.from({ length: 10 }, (_, i) => framed(pattern(6000, i)))));
  await until(() => recorder.frames.length === 1 && budget.usedBytes >= 50_000, 'a backlog');
  const other = await connectClient(t, port);
  other.socket.write(framed(pattern(200_000)));
  await until(() => recorder.frames.length === 2, 'the frame of the other');
  network.setCredits(recorder.opened[0] as number, 100);
  await until(() => recorder.frames.length === 11, 'the backlog');
  assert.equal(budget.usedBytes, 0);
});
