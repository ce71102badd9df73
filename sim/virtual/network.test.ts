import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';
import type { CloseReason, ConnectionId, FrameTable, NetworkHandler } from '../../src/io/network.ts';
import { VirtualClock } from './clock.ts';
import { VirtualInternet, type VirtualNetwork } from './network.ts';

const LIMITS = { maxFrameBytes: 1_000_000, frameTimeoutMs: 60_000, budget: { maxBytes: 1e9, usedBytes: 0 } };

/** Answers each frame with itself, and notes everything with its time. */
class Echo implements NetworkHandler {
  readonly log: string[] = [];
  readonly network: VirtualNetwork;
  readonly #name: string;
  readonly #echo: boolean;
  connection: ConnectionId = 0;

  constructor(network: VirtualNetwork, name: string, echo: boolean) {
    this.network = network;
    this.#name = name;
    this.#echo = echo;
  }

  onOpen(connection: ConnectionId): void {
    this.connection = connection;
    this.#note(`open ${connection}`);
    this.network.setCredits(connection, 1_000_000);
  }

  onFrames(frames: FrameTable): void {
    for (let i = 0; i < frames.count; i++) {
      const bytes = Buffer.from(frames.buffer(i).subarray(frames.start(i), frames.end(i)));
      this.#note(`frame ${bytes.length}`);
      if (this.#echo) sendFrame(this.network, frames.connection(i), bytes);
    }
  }

  onClose(connection: ConnectionId, reason: CloseReason): void {
    this.#note(`close ${connection} ${reason}`);
  }

  onDrain(): void {
    this.#note('drain');
  }

  #note(what: string): void {
    this.log.push(`${this.network.clock.monotonicMs()} ${this.#name} ${what}`);
  }

  /** What was noted, without the times. */
  get events(): string[] {
    return this.log.map((line) => line.split(' ').slice(2).join(' '));
  }
}

function sendFrame(network: VirtualNetwork, connection: ConnectionId, bytes: Buffer): void {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(bytes.length);
  network.send(connection, [prefix, bytes]);
}

function world(seed: number) {
  const clock = new VirtualClock();
  const internet = new VirtualInternet({
    clock,
    random: new Random(seed),
    stallTimeoutMs: 1000,
    connectTimeoutMs: 500,
  });
  const server = new Echo(internet.host('b1'), 'server', true);
  const client = new Echo(internet.host('c1'), 'client', false);
  server.network.listen({ host: '', port: 9092, limits: LIMITS, handler: server });
  const connect = () => client.network.connect({ host: 'b1', port: 9092, limits: LIMITS, handler: client });
  return { clock, internet, server, client, connect };
}

test('the same seed gives the same run, another seed another', () => {
  const run = (seed: number): string[] => {
    const { clock, server, client, connect } = world(seed);
    for (let i = 0; i < 3; i++) connect();
    clock.runFor(10);
    for (let i = 1; i <= 30; i++) sendFrame(client.network, 1 + (i % 3), Buffer.alloc(i * 1000, i));
    clock.runFor(100);
    return [...server.log, ...client.log];
  };
  assert.deepEqual(run(1), run(1));
  assert.notDeepEqual(run(1), run(2));
});

test('a blocked way holds packets back, and heals', () => {
  const { clock, internet, server, client, connect } = world(3);
  connect();
  clock.runFor(10);
  internet.block('b1', 'c1', 'one-way');
  sendFrame(client.network, 1, Buffer.alloc(10));
  clock.runFor(300);
  assert.deepEqual(server.events, ['open 1', 'frame 10']);
  assert.deepEqual(client.events, ['open 1'], 'the answer does not get through');
  internet.heal('b1', 'c1');
  clock.runFor(10);
  assert.deepEqual(client.events, ['open 1', 'frame 10']);
});

test('who cannot get through for long gives up', () => {
  const { clock, internet, client, connect } = world(4);
  connect();
  clock.runFor(10);
  internet.block('c1', 'b1');
  sendFrame(client.network, 1, Buffer.alloc(10));
  connect();
  clock.runFor(3000);
  assert.deepEqual(client.events, ['open 1', 'close 2 connect', 'close 1 reset']);
});

test('a dead process resets its connections, and refuses new ones until it is back', () => {
  const { clock, internet, server, client, connect } = world(5);
  connect();
  clock.runFor(10);
  server.network.crash('process');
  clock.runFor(10);
  connect();
  clock.runFor(10);
  assert.deepEqual(client.events, ['open 1', 'close 1 reset', 'close 2 connect']);
  assert.deepEqual(server.events, ['open 1'], 'the dead hear nothing');
  const again = new Echo(internet.host('b1'), 'server', true);
  again.network.listen({ host: '', port: 9092, limits: LIMITS, handler: again });
  connect();
  clock.runFor(10);
  assert.deepEqual(client.events.at(-1), 'open 3');
});

test('peers of a machine without power hear nothing until they give up, or it is back', () => {
  for (const back of [true, false]) {
    const { clock, internet, server, client, connect } = world(6);
    connect();
    clock.runFor(10);
    server.network.crash('power');
    sendFrame(client.network, 1, Buffer.alloc(10));
    clock.runFor(100);
    assert.deepEqual(client.events, ['open 1']);
    if (back) internet.host('b1');
    clock.runFor(back ? 100 : 2000);
    assert.deepEqual(client.events, ['open 1', 'close 1 reset']);
  }
});

test('dropped connections end on both sides, once', () => {
  const { clock, internet, server, client, connect } = world(7);
  connect();
  clock.runFor(10);
  internet.dropConnections('c1', 'b1');
  clock.runFor(10);
  assert.deepEqual(
    [server.events, client.events],
    [
      ['open 1', 'close 1 reset'],
      ['open 1', 'close 1 reset'],
    ],
  );
});
