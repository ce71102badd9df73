import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { BrokerError } from '../../../base/broker-error.ts';
import { AddonNetwork } from './network.ts';
import {
  addonOrSkip,
  type Client,
  connectClient,
  framed,
  limits,
  listening,
  pattern,
  Recorder,
  until,
} from './network-fixture.ts';

const { binding, skip } = addonOrSkip();

test('an outgoing connection talks to a listener, both told who the other is', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const client = new Recorder();
  recorder.whenOpen = (connection) => network.setCredits(connection, 10);
  recorder.whenFrame = (connection) => network.send(connection, [framed('answer')]);
  client.whenOpen = (connection) => network.setCredits(connection, 10);
  const connection = network.connect({ host: '127.0.0.1', port, limits: limits(), handler: client });
  assert.equal(client.opened.length, 0, 'told in a later turn');
  network.send(connection, [framed('question, asked before the connection stood')]);
  await until(() => client.frames.length === 1, 'the answer');
  assert.deepEqual(client.opened, [connection]);
  assert.deepEqual(client.peers, [`127.0.0.1:${port}`]);
  assert.match(recorder.peers[0] ?? '', /^127\.0\.0\.1:\d+$/);
  network.close(connection, 'now');
  await until(() => recorder.closed.length === 1 && client.closed.length === 1, 'both closes');
  assert.equal(client.closed[0]?.reason, 'local');
  assert.equal(recorder.closed[0]?.reason, 'peer');
});

test('a connection that cannot be made ends with reason connect, and was never open', { skip }, async (t) => {
  assert.ok(binding);
  const { network, port } = listening(t, binding);
  const spare = net.createServer().listen(0, '127.0.0.1');
  await once(spare, 'listening');
  const refusing = (spare.address() as net.AddressInfo).port;
  spare.close();
  const client = new Recorder();
  const first = network.connect({ host: '127.0.0.1', port: refusing, limits: limits(), handler: client });
  const second = network.connect({ host: 'no-such-host.invalid', port, limits: limits(), handler: client });
  const third = network.connect({ host: '127.0.0.1', port: refusing, limits: limits(), handler: client });
  network.close(third, 'now');
  await until(() => client.closed.length === 3, 'the closes');
  const reasons = new Map(client.closed.map((one) => [one.connection, one]));
  assert.equal(reasons.get(first)?.reason, 'connect');
  assert.equal(reasons.get(first)?.detail, 'ECONNREFUSED');
  assert.equal(reasons.get(second)?.reason, 'connect');
  assert.match(reasons.get(second)?.detail ?? '', /ENOTFOUND|EAI_AGAIN/);
  assert.equal(reasons.get(third)?.reason, 'local');
  assert.equal(client.opened.length, 0);
});

test('a host name is tried address by address', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const client = new Recorder();
  // Where localhost has an address of version 6 too, nobody listens there.
  network.connect({ host: 'localhost', port, limits: limits(), handler: client });
  await until(() => client.opened.length === 1 && recorder.opened.length === 1, 'the connection');
});

test('listening fails with what is wrong, and a wildcard takes connections', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const listen = (host: string, at: number) =>
    network.listen({ host, port: at, limits: limits(), handler: recorder });
  assert.throws(
    () => listen('127.0.0.1', port),
    (error: BrokerError) =>
      error.code === 'LISTEN_FAILED' && /127\.0\.0\.1:\d+: EADDRINUSE/.test(error.message),
  );
  assert.throws(() => listen('192.0.2.1', 0), /EADDRNOTAVAIL/);
  assert.throws(() => listen('no-such-host.invalid', 0), /cannot be resolved/);
  const wildcard = listen('', 0);
  await connectClient(t, wildcard.port);
  await until(() => recorder.opened.length === 1, 'the connection');
  assert.match(recorder.peers[0] ?? '', /^127\.0\.0\.1:/, 'an address of version 4 is shown as such');
  wildcard.close();
  await assert.rejects(connectClient(t, wildcard.port), /ECONNREFUSED/);
  await sleep(2);
  assert.equal(recorder.closed.length, 0, 'connections stay when their listener closes');
});

test('close, send and setCredits are safe in every callback', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  recorder.whenOpen = (connection) => {
    if (recorder.opened.length % 4 === 0) network.close(connection, 'now');
    network.send(connection, [framed('welcome')]);
    network.setCredits(connection, 2);
  };
  recorder.whenFrame = (connection, _, i) => {
    network.send(connection, [framed('answer')]);
    if (i % 3 === 0) network.close(connection, i % 2 === 0 ? 'now' : 'drain');
    network.setCredits(connection, 2);
    network.send(connection, [framed('late')]);
    for (const other of recorder.opened) if (other % 7 === 0) network.close(other, 'now');
  };
  const onClose = recorder.onClose.bind(recorder);
  recorder.onClose = (connection, reason, detail) => {
    onClose(connection, reason, detail);
    network.send(connection, [framed('too late')]);
    network.setCredits(connection, 5);
    network.close(connection, 'drain');
    assert.equal(network.unsentBytes(connection), 0);
  };
  const clients: Client[] = [];
  for (let i = 0; i < 40; i++) {
    const client = await connectClient(t, port);
    clients.push(client);
    client.socket.write(Buffer.concat(Array.from({ length: 20 }, (_, n) => framed(`${n}`))));
  }
  await sleep(50);
  for (const client of clients) client.socket.destroy();
  await until(() => recorder.closed.length === 40, 'all closes');
  assert.equal(new Set(recorder.closed.map((one) => one.connection)).size, 40, 'each is told once');
});

test('no frames come after close, though they had arrived', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  recorder.whenOpen = (connection) => network.setCredits(connection, 1);
  recorder.whenFrame = (connection) => {
    network.setCredits(connection, 100);
    network.close(connection, 'now');
  };
  const client = await connectClient(t, port);
  client.socket.write(Buffer.concat(Array.from({ length: 20 }, () => framed('frame'))));
  await until(() => recorder.closed.length === 1, 'the close');
  await sleep(5);
  assert.equal(recorder.frames.length, 1);
  assert.equal(recorder.closed[0]?.reason, 'local');
});

test('a drained close sends what is queued, though the other side has sent more', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  const client = await connectClient(t, port);
  client.socket.pause();
  await until(() => recorder.opened.length === 1, 'the connection');
  const [connection] = recorder.opened as [number];
  const content = pattern(12_000_000);
  network.send(connection, [content]);
  client.socket.write(pattern(50_000)); // never read: the kernel must not reset the connection for it
  network.close(connection, 'drain');
  assert.equal(network.send(connection, [Buffer.from('more')]), 0);
  await sleep(10);
  assert.equal(recorder.closed.length, 0);
  client.socket.resume();
  await until(() => client.ended, 'the end of the stream');
  assert.ok(client.received.equals(content));
  assert.equal(client.error, '', 'ended in order');
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(recorder.closed[0]?.reason, 'local');
});

test('a client that has closed its sending half gets its answers', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  recorder.whenOpen = (connection) => network.setCredits(connection, 100);
  const answer = pattern(3_000_000);
  recorder.whenFrame = (connection) => network.send(connection, [answer]);
  const client = await connectClient(t, port, { allowHalfOpen: true });
  client.socket.end(Buffer.concat([framed('one'), framed('two')]));
  await until(() => client.receivedBytes === 6_000_000, 'both answers');
  await until(() => recorder.closed.length === 1, 'the close');
  assert.equal(recorder.closed[0]?.reason, 'peer');
});

test('the end of the stream inside a frame, and a reset, are told apart', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  recorder.whenOpen = (connection) => network.setCredits(connection, 100);
  const ending = await connectClient(t, port);
  ending.socket.end(framed('frame').subarray(0, 6));
  await until(() => recorder.closed.length === 1, 'the end');
  assert.equal(recorder.closed[0]?.reason, 'peer');
  const resetting = await connectClient(t, port);
  await until(() => recorder.opened.length === 2, 'the connection');
  network.setCredits(recorder.opened[1] as number, 0);
  resetting.socket.resetAndDestroy();
  await until(() => recorder.closed.length === 2, 'the reset, though nothing may be read');
  assert.equal(recorder.closed[1]?.reason, 'reset');
});

test('a thousand connections are served, and idle ones cost little', { skip }, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding);
  recorder.whenOpen = (connection) => network.setCredits(connection, 10);
  recorder.whenFrame = (connection) => network.send(connection, [framed('answer')]);
  const clients: Client[] = [];
  for (let i = 0; i < 1000; i += 50) {
    clients.push(...(await Promise.all(Array.from({ length: 50 }, () => connectClient(t, port)))));
  }
  await until(() => recorder.opened.length === 1000, 'all connections');
  for (const client of clients) client.socket.write(framed('question'));
  await until(() => clients.every((client) => client.receivedBytes === 10), 'all answers');
  assert.ok(recorder.wakeUps.length < 900, `${recorder.wakeUps.length} calls for 1000 frames`);
  for (const client of clients) client.socket.destroy();
  await until(() => recorder.closed.length === 1000, 'all closes');
});

test('at its limit a listener leaves connections waiting, and takes them when others end', {
  skip,
}, async (t) => {
  assert.ok(binding);
  const { network, recorder, port } = listening(t, binding, { maxConnections: 3 });
  recorder.whenOpen = (connection) => network.setCredits(connection, 1);
  const clients = await Promise.all(Array.from({ length: 5 }, () => connectClient(t, port)));
  await until(() => recorder.opened.length === 3, 'three connections');
  await sleep(20);
  assert.equal(recorder.opened.length, 3);
  for (const client of clients) {
    client.socket.destroy();
    await sleep(1);
  }
  await until(() => recorder.opened.length === 5, 'the others');
});

test('out of descriptors, accepting pauses without spinning and goes on when there are some', {
  skip,
}, async (t) => {
  const script = join(import.meta.dirname, 'network-lifecycle.descriptors.ts');
  const server = spawn('sh', ['-c', `ulimit -n 64 && exec "$0" "$1"`, process.execPath, script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => server.kill('SIGKILL'));
  const lines: string[] = [];
  server.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n').filter(Boolean)));
  await until(() => lines.length === 1, 'the port');
  const clients = await Promise.all(Array.from({ length: 100 }, () => connectClient(t, Number(lines[0]))));
  await sleep(50);
  server.stdin.write('cpu\n');
  await until(() => lines.length === 2, 'the processor time before');
  await sleep(400);
  server.stdin.write('cpu\n');
  await until(() => lines.length === 3, 'the processor time after');
  const usedMs = (Number(lines[2]) - Number(lines[1])) / 1000;
  assert.ok(usedMs < 100, `${usedMs} ms of processor time in 400 ms of waiting`);
  const last = clients.at(-1) as Client;
  last.socket.write(framed('question'));
  for (const client of clients.slice(0, 95)) client.socket.destroy();
  await until(() => last.receivedBytes > 0, 'an answer on the last connection');
});

test('a network can be shut down inside a callback, with everything under way', { skip }, async () => {
  assert.ok(binding);
  const network = new AddonNetwork({ binding, scribble: true });
  const recorder = new Recorder();
  let done = false;
  recorder.whenOpen = (connection) => network.setCredits(connection, 10);
  recorder.whenFrame = (connection) => {
    network.send(connection, [pattern(300_000)]);
    network.shutdown(() => (done = true));
    network.send(connection, [framed('late')]);
    network.setCredits(connection, 3);
  };
  const { port } = network.listen({ host: '127.0.0.1', port: 0, limits: limits(), handler: recorder });
  const client = new Recorder();
  const asking = network.connect({ host: '127.0.0.1', port, limits: limits(), handler: client });
  network.connect({ host: 'localhost', port, limits: limits(), handler: client });
  network.send(asking, [framed('question'), framed(pattern(200_000)), framed('another')]);
  await until(() => done, 'the end');
  const open = recorder.opened.length + client.opened.length;
  assert.ok(recorder.closed.length + client.closed.length >= open, 'each connection was told its end');
  assert.ok([...recorder.closed, ...client.closed].every((one) => one.reason === 'local'));
  await new Promise<void>((again) => network.shutdown(again));
});

test('a worker thread that ends with a network open takes nothing along', { skip }, async () => {
  const script = join(import.meta.dirname, 'network-lifecycle.worker.ts');
  for (const how of ['terminate', 'exit']) {
    const worker = new Worker(script, { workerData: how });
    const [port] = (await once(worker, 'message')) as [number];
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(framed('question'));
    await once(socket, 'data');
    if (how === 'terminate') await worker.terminate();
    else await once(worker, 'exit');
    socket.destroy();
  }
});
