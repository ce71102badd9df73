import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFields, Logger } from '../../src/base/logger.ts';
import { TimerWheel } from '../../src/base/timer-wheel.ts';
import { Connections } from '../../src/broker/connections.ts';
import { Counters } from '../../src/broker/counters.ts';
import { type ApiHandler, api, DispatchTable } from '../../src/broker/dispatch.ts';
import type { RequestContext } from '../../src/broker/request-context.ts';
import { encodeRequest } from '../../src/protocol/headers.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../src/protocol/messages/heartbeat.ts';
import { ProduceRequest, ProduceResponse } from '../../src/protocol/messages/produce.ts';
import { FakeNetwork } from './fake-network.ts';
import { ManualClock } from './manual-clock.ts';

/** Heartbeat stands for a serial API, Produce for one that overlaps; the test answers both by hand. */
const HEARTBEAT = 12;
const PRODUCE = 0;

function listening() {
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const write = (level: string) => (message: string, fields?: LogFields) => {
    lines.push({ level, message, fields });
  };
  const logger: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  return { logger, lines };
}

function set(maxRetainedBytes = 1 << 20) {
  const clock = new ManualClock();
  const network = new FakeNetwork();
  const wheel = new TimerWheel(clock);
  const counters = new Counters();
  const { logger, lines } = listening();
  const monotonicMs = () => clock.monotonicMs();
  const table = new DispatchTable({ counters, monotonicMs, deadlineMs: 30_000 });
  const serial: RequestContext<{ errorCode: number }>[] = [];
  const overlapping: { context: RequestContext; records: Buffer }[] = [];
  const handlers: ApiHandler[] = [
    api({
      apiKey: HEARTBEAT,
      minVersion: 0,
      maxVersion: 4,
      request: HeartbeatRequest,
      response: HeartbeatResponse,
      handle(context, request) {
        if (request.groupId === 'throws') throw new Error('a bug');
        serial.push(context as unknown as RequestContext<{ errorCode: number }>);
        if (request.groupId === 'at-once') context.respond({ errorCode: 0 });
      },
    }),
    api({
      apiKey: PRODUCE,
      minVersion: 3,
      maxVersion: 13,
      request: ProduceRequest,
      response: ProduceResponse,
      overlaps: true,
      keepsFrame: true,
      handle(context, request) {
        const records = request.topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0);
        overlapping.push({ context: context as unknown as RequestContext, records });
      },
    }),
  ];
  for (const handler of handlers) table.add(handler);
  const connections = new Connections({
    network,
    wheel,
    monotonicMs,
    dispatcher: table,
    counters,
    logger,
    peerLogger: logger,
    maxRetainedBytes,
    maxIdleMs: 600_000,
    cork() {},
    uncork() {},
  });
  connections.serve();
  const handler = connections.handlerFor('PLAINTEXT');
  return {
    clock,
    network,
    counters,
    lines,
    connections,
    serial,
    overlapping,
    open: () => network.open(handler),
  };
}

function heartbeat(connection: number, correlationId: number, groupId: string) {
  const parts = encodeRequest({ request: HeartbeatRequest }, 4, correlationId, 'c', {
    groupId,
    generationId: 1,
    memberId: 'm',
  });
  return { connection, bytes: (parts[0] as Buffer).subarray(4) };
}

function produce(connection: number, correlationId: number, records: Buffer) {
  const parts = encodeRequest({ request: ProduceRequest }, 9, correlationId, 'c', {
    acks: 1,
    timeoutMs: 1000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
  });
  return { connection, bytes: Buffer.concat(parts as Buffer[]).subarray(4) };
}

function answers(sent: readonly Buffer[]): number[] {
  const bytes = Buffer.concat(sent);
  const ids: number[] = [];
  for (let position = 0; position < bytes.length; position += 4 + bytes.readInt32BE(position)) {
    ids.push(bytes.readInt32BE(position + 4));
  }
  return ids;
}

const produced = { responses: [] };

test('a serial request holds the next one back until it is answered, and mutes the connection', () => {
  const { network, serial, open } = set();
  const id = open();
  network.wakeUp([heartbeat(id, 1, 'slow'), heartbeat(id, 2, 'at-once'), heartbeat(id, 3, 'at-once')]);
  assert.equal(serial.length, 1);
  assert.equal(network.of(id).credits, 0);
  serial[0]?.respond({ errorCode: 0 });
  assert.deepEqual(answers(network.of(id).sent), [1, 2, 3]);
  assert.ok(network.of(id).credits > 0);
});

test('requests that overlap are all taken up, and their answers leave in order of arrival', () => {
  const { network, overlapping, open } = set();
  const id = open();
  network.wakeUp([1, 2, 3].map((n) => produce(id, n, Buffer.from(`records ${n}`))));
  assert.equal(overlapping.length, 3);
  overlapping[2]?.context.respond(produced);
  overlapping[1]?.context.respond(produced);
  assert.deepEqual(answers(network.of(id).sent), []);
  overlapping[0]?.context.respond(produced);
  assert.deepEqual(answers(network.of(id).sent), [1, 2, 3]);
});

test('a serial request waits for all that overlap before it', () => {
  const { network, overlapping, serial, open } = set();
  const id = open();
  network.wakeUp([
    produce(id, 1, Buffer.from('x')),
    heartbeat(id, 2, 'at-once'),
    produce(id, 3, Buffer.from('y')),
  ]);
  assert.equal(overlapping.length, 1);
  assert.equal(serial.length, 0);
  overlapping[0]?.context.respond(produced);
  assert.equal(serial.length, 1);
  assert.equal(overlapping.length, 2);
  overlapping[1]?.context.respond(produced);
  assert.deepEqual(answers(network.of(id).sent), [1, 2, 3]);
});

test('records stay readable after the call although the receive buffer is overwritten', () => {
  const { network, overlapping, open } = set();
  const id = open();
  network.wakeUp([heartbeat(id, 1, 'slow'), produce(id, 2, Buffer.from('second'))]);
  network.wakeUp([]);
  const other = open();
  network.wakeUp([produce(other, 3, Buffer.from('third'))]);
  assert.equal(overlapping[0]?.records.toString(), 'third');
});

test('one connection does not wait for another', () => {
  const { network, open } = set();
  const slow = open();
  const quick = open();
  network.wakeUp([heartbeat(slow, 1, 'slow'), heartbeat(quick, 7, 'at-once')]);
  assert.deepEqual(answers(network.of(slow).sent), []);
  assert.deepEqual(answers(network.of(quick).sent), [7]);
});

test('a handler that throws costs its connection and nothing else, with one line', () => {
  const { network, counters, lines, open } = set();
  const bad = open();
  const good = open();
  network.wakeUp([
    heartbeat(bad, 0, 'at-once'),
    heartbeat(bad, 1, 'throws'),
    heartbeat(bad, 2, 'at-once'),
    heartbeat(good, 3, 'at-once'),
  ]);
  assert.equal(network.of(bad).closed, 'drain');
  assert.deepEqual(answers(network.of(bad).sent), [0]);
  assert.deepEqual(answers(network.of(good).sent), [3]);
  assert.equal(counters.handlerFailures, 1);
  assert.equal(lines.filter(({ level }) => level === 'error').length, 1);
});

test('malformed requests close their connection with one line', () => {
  const header = (apiKey: number, version: number) => {
    const bytes = Buffer.alloc(10);
    bytes.writeInt16BE(apiKey, 0);
    bytes.writeInt16BE(version, 2);
    bytes.writeInt16BE(-1, 8);
    return bytes;
  };
  const whole = heartbeat(0, 1, 'at-once').bytes;
  const cases: [string, Buffer][] = [
    ['an empty frame', Buffer.alloc(0)],
    ['less than a header', Buffer.alloc(9)],
    ['an unknown API', header(999, 0)],
    ['a negative API', header(-1, 0)],
    ['an API that is not in the table', header(3, 0)],
    ['a version above', header(HEARTBEAT, 5)],
    ['a version below', header(PRODUCE, 2)],
    ['a truncated body', whole.subarray(0, whole.length - 3)],
    ['a client id that is longer than the frame', Buffer.from('000c0000000000017fff', 'hex')],
  ];
  for (const [what, bytes] of cases) {
    const { network, counters, lines, serial, open } = set();
    const id = open();
    const other = open();
    network.wakeUp([{ connection: id, bytes }, heartbeat(other, 9, 'at-once')]);
    assert.equal(network.of(id).closed, 'drain', what);
    assert.equal(counters.malformedFrames, 1, what);
    assert.equal(lines.length, 1, what);
    assert.equal(serial.length, 1, what);
    assert.deepEqual(answers(network.of(other).sent), [9], what);
  }
});

test('every truncation of a request closes the connection', () => {
  const whole = produce(0, 1, Buffer.from('some records')).bytes;
  for (let length = 0; length < whole.length; length++) {
    const { network, counters, overlapping, open } = set();
    const id = open();
    network.wakeUp([{ connection: id, bytes: whole.subarray(0, length) }]);
    assert.equal(network.of(id).closed, 'drain', `${length} bytes`);
    assert.equal(counters.malformedFrames, 1);
    assert.equal(overlapping.length, 0);
  }
});

test('trailing bytes are ignored and counted', () => {
  const { network, counters, open } = set();
  const id = open();
  const { bytes } = heartbeat(id, 5, 'at-once');
  network.wakeUp([{ connection: id, bytes: Buffer.concat([bytes, Buffer.from('tail')]) }]);
  assert.deepEqual(answers(network.of(id).sent), [5]);
  assert.equal(counters.trailingBytes, 4);
  assert.equal(counters.trailingBytesFrames, 1);
});

test('a throttled answer leaves at once, then the connection is muted for that time', () => {
  const { clock, network, serial, open } = set();
  const id = open();
  network.wakeUp([heartbeat(id, 1, 'slow'), heartbeat(id, 2, 'at-once')]);
  const context = serial[0] as RequestContext<{ errorCode: number }>;
  context.throttleMs = 500;
  context.respond({ errorCode: 0 });
  assert.deepEqual(answers(network.of(id).sent), [1]);
  assert.equal(network.of(id).credits, 0);
  clock.advance(499);
  assert.deepEqual(answers(network.of(id).sent), [1]);
  clock.advance(2);
  assert.deepEqual(answers(network.of(id).sent), [1, 2]);
  assert.ok(network.of(id).credits > 0);
});

test('a connection that does not read its answers is not read from until it has', () => {
  const { network, open } = set();
  const id = open();
  network.of(id).unsentBytes = 2 << 20;
  network.wakeUp([heartbeat(id, 1, 'at-once')]);
  assert.equal(network.of(id).credits, 0);
  network.drained(id);
  assert.ok(network.of(id).credits > 0);
});

test('retained bytes are bounded over all connections', () => {
  const { network, overlapping, connections, open } = set(1000);
  const first = open();
  const second = open();
  const big = Buffer.alloc(900);
  network.wakeUp([produce(first, 1, big), produce(first, 2, big), produce(second, 3, big)]);
  assert.equal(overlapping.length, 2);
  assert.ok(connections.retainedBytes > 1000);
  assert.equal(network.of(first).credits, 0);
  assert.equal(network.of(second).credits, 0);
  overlapping[0]?.context.releaseFrame();
  overlapping[1]?.context.respond(produced);
  assert.equal(overlapping.length, 3);
  assert.ok(network.of(first).credits > 0);
  overlapping[0]?.context.respond(produced);
  overlapping[2]?.context.respond(produced);
  assert.equal(connections.retainedBytes, 0);
});

test('a closed connection cancels what is pending for it, and late answers go nowhere', () => {
  const { network, serial, overlapping, connections, open } = set();
  const id = open();
  network.wakeUp([heartbeat(id, 1, 'slow'), produce(id, 2, Buffer.from('x'))]);
  let cancelled = 0;
  const context = serial[0] as RequestContext<{ errorCode: number }>;
  context.onCancelled = () => cancelled++;
  network.end(id, 'peer');
  assert.equal(cancelled, 1);
  context.respond({ errorCode: 0 });
  assert.equal(overlapping.length, 0);
  assert.equal(connections.size, 0);
  assert.equal(connections.retainedBytes, 0);
});

test('closing in place of an answer waits for the answers before it', () => {
  const { network, overlapping, open } = set();
  const id = open();
  network.wakeUp([produce(id, 1, Buffer.from('x')), produce(id, 2, Buffer.from('y'))]);
  overlapping[1]?.context.closeConnection();
  assert.equal(network.of(id).closed, null);
  overlapping[0]?.context.respond(produced);
  assert.deepEqual(answers(network.of(id).sent), [1]);
  assert.equal(network.of(id).closed, 'drain');
});

test('an idle connection is closed after its time, a busy one is not', () => {
  const { clock, network, open } = set();
  const idle = open();
  const busy = open();
  network.wakeUp([heartbeat(busy, 1, 'slow')]);
  clock.advance(1_200_000);
  assert.equal(network.of(idle).closed, 'drain');
  assert.equal(network.of(busy).closed, null);
});

test('draining closes idle connections at once and the others after their answers', () => {
  const { network, serial, connections, open } = set();
  const idle = open();
  const busy = open();
  network.wakeUp([heartbeat(busy, 1, 'slow'), heartbeat(busy, 2, 'at-once')]);
  let drained = false;
  connections.drain(() => {
    drained = true;
  });
  assert.equal(network.of(idle).closed, 'drain');
  assert.equal(network.of(busy).closed, null);
  serial[0]?.respond({ errorCode: 0 });
  assert.deepEqual(answers(network.of(busy).sent), [1]);
  assert.equal(network.of(busy).closed, 'drain');
  assert.equal(drained, false);
  network.end(idle, 'local');
  network.end(busy, 'local');
  assert.equal(drained, true);
});
