import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';
import { connectPair, framed, limits, type NetworkFactory, sizePrefix, withNetwork } from './network.ts';
import { pattern } from './world.ts';

/** Frames: however their bytes arrive, they come whole, in order and within their bounds. */
export function networkFramesSuite(name: string, factory: NetworkFactory): void {
  splitSuite(name, factory);
  viewSuite(name, factory);
  recycleSuite(name, factory);
  boundSuite(name, factory);
}

function splitSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: frames split at every byte come whole`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, clientId } = await connectPair(world);
      const frames = [pattern(9), Buffer.alloc(0), pattern(1, 1), pattern(13, 2)];
      const stream = framed(...frames);
      let expected = 0;
      for (let cut = 0; cut <= stream.length; cut++) {
        world.client.send(clientId, [stream.subarray(0, cut)]);
        await world.pass(0.5);
        world.client.send(clientId, [stream.subarray(cut)]);
        expected += frames.length;
        await world.until(() => server.frames.length === expected, `frames cut at ${cut}`);
      }
      server.received.forEach((bytes, i) => assert.deepEqual(bytes, frames[i % frames.length]));
    }));

  test(`${name} network: frames that come byte by byte come whole`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, clientId } = await connectPair(world);
      const frames = [pattern(3), Buffer.alloc(0), pattern(20, 1)];
      for (const byte of framed(...frames)) {
        world.client.send(clientId, [Buffer.from([byte])]);
        await world.pass(0.2);
      }
      await world.until(() => server.frames.length === 3, 'three frames');
      assert.deepEqual(server.received, frames);
    }));

  test(`${name} network: frames of all sizes, sent in random pieces with random credits, come equal and in order`, (context) =>
    withNetwork(context, factory, async (world) => {
      const random = new Random(4);
      const { server, client, serverId, clientId } = await connectPair(world, { serverCredits: 0 });
      const sizes = [0, 1, 100, 4096, 70_000, 65_532, 65_536, 300_000, 3_000_000];
      const frames = Array.from({ length: 120 }, (_, i) => pattern(random.below(random.pick(sizes) + 1), i));
      const stream = framed(...frames);
      for (let at = 0; at < stream.length; ) {
        const end = Math.min(stream.length, at + random.between(1, 200_000));
        const piece = stream.subarray(at, end);
        client.outside(() => world.client.send(clientId, [piece]));
        at = end;
        if (random.chance(0.5)) server.give(serverId, random.below(9));
        if (random.chance(0.3)) await world.pass(random.chance(0.2) ? 1 : 0.1);
      }
      server.give(serverId, 1000);
      await world.until(() => server.frames.length === frames.length, 'all frames');
      server.received.forEach((bytes, i) => assert.ok(bytes.equals(frames[i] as Buffer), `frame ${i}`));
    }));

  test(`${name} network: many small frames at once come as few tables, in order per connection`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, clientId } = await connectPair(world);
      let tables = 0;
      server.onTable = () => tables++;
      const frames = Array.from({ length: 2000 }, (_, i) => pattern(20 + (i % 7), i));
      world.client.send(clientId, [framed(...frames)]);
      await world.until(() => server.frames.length === 2000, 'all frames');
      assert.deepEqual(server.received, frames);
      assert.ok(tables < 1000, `${tables} calls for 2000 frames`);
    }));
}

function viewSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: retained frames last, views that were kept do not`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, clientId } = await connectPair(world);
      const frames = [pattern(50, 1), pattern(60, 2), pattern(400_000, 3), pattern(70, 4), pattern(80, 5)];
      const kept: Buffer[] = [];
      const views: Buffer[] = [];
      let seen = 0;
      server.onTable = (table) => {
        for (let i = 0; i < table.count; i++, seen++) {
          if (seen % 2 === 1) {
            views.push(table.buffer(i).subarray(table.start(i), table.end(i)));
            continue;
          }
          const own = table.retain(i);
          kept.push(own);
          assert.deepEqual(table.buffer(i).subarray(table.start(i), table.end(i)), own, 'fetched anew');
        }
      };
      for (const frame of frames) world.client.send(clientId, [framed(frame)]);
      await world.until(() => server.frames.length === 5, 'five frames');
      world.client.send(clientId, [framed(...Array.from({ length: 3000 }, () => Buffer.alloc(100, 0xaa)))]);
      await world.until(() => server.frames.length === 3005, 'more frames');
      assert.deepEqual(kept.slice(0, 3), [frames[0], frames[2], frames[4]]);
      assert.notDeepEqual(views[0], frames[1]);
      assert.notDeepEqual(views[1], frames[3]);
      assert.deepEqual(server.received.slice(0, 5), frames);
    }));

  test(`${name} network: a retained large frame may be kept and changed`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, clientId } = await connectPair(world);
      const kept: Buffer[] = [];
      server.onTable = (table) => {
        for (let i = 0; i < table.count; i++) kept.push(table.retain(i));
      };
      for (let round = 0; round < 4; round++) {
        world.client.send(clientId, [framed(pattern(1_500_000, round))]);
        await world.until(() => kept.length === round + 1, 'a frame');
        kept[round]?.fill(round, 0, 10);
      }
      kept.forEach((bytes, round) => {
        assert.equal(bytes.length, 1_500_000);
        assert.ok(bytes.subarray(10).equals(pattern(1_500_000, round).subarray(10)));
        assert.ok(bytes.subarray(0, 10).every((byte) => byte === round));
      });
    }));
}

function recycleSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: what is given back takes later frames, what is kept stays`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, clientId } = await connectPair(world);
      const kept: { readonly bytes: Buffer; readonly expected: Buffer }[] = [];
      const sizes = [100, 3000, 20_000, 70_000, 400_000, 1_500_000];
      let seen = 0;
      server.onTable = (table) => {
        for (let i = 0; i < table.count; i++, seen++) {
          const expected = pattern(sizes[seen % sizes.length] as number, seen);
          const bytes = table.retain(i);
          assert.ok(bytes.equals(expected), `frame ${seen} as it was sent`);
          if (seen % 5 === 0) kept.push({ bytes, expected });
          else world.server.recycle(bytes);
        }
      };
      for (let round = 0; round < 60; round++) {
        world.client.send(clientId, [framed(pattern(sizes[round % sizes.length] as number, round))]);
        await world.until(() => seen === round + 1, 'a frame');
      }
      for (const { bytes, expected } of kept)
        assert.ok(bytes.equals(expected), 'nobody else was given its memory');
    }));
}

function boundSuite(name: string, factory: NetworkFactory): void {
  for (const sizeBytes of [-1, -(2 ** 31), 1001, 2 ** 31 - 1]) {
    test(`${name} network: a frame of ${sizeBytes} bytes ends its connection and no other`, (context) =>
      withNetwork(context, factory, async (world) => {
        const serverLimits = limits({ maxFrameBytes: 1000 });
        const { server, client, serverId, clientId, listener } = await connectPair(world, { serverLimits });
        const other = world.client.connect({
          host: world.host,
          port: listener.port,
          limits: limits(),
          handler: client,
        });
        await world.until(() => server.opened.size === 2, 'the other connection');
        world.client.send(clientId, [framed(pattern(1000)), sizePrefix(sizeBytes), framed(pattern(5))]);
        await world.until(() => server.closed.size === 1 && client.closed.size === 1, 'the end');
        assert.equal(server.closed.get(serverId)?.reason, 'frame-size');
        assert.match(server.closed.get(serverId)?.detail ?? '', new RegExp(String(sizeBytes)));
        assert.ok(client.closed.has(clientId));
        world.client.send(other, [framed(pattern(7))]);
        await world.until(() => server.frames.length >= 2, 'a frame on the other connection');
        assert.deepEqual(
          server.received,
          [pattern(1000), pattern(7)],
          'the good frame before it was handed over',
        );
      }));
  }

  test(`${name} network: a bad size is found when it came in pieces`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, serverId, clientId } = await connectPair(world);
      for (const byte of [0xff, 0xff, 0xff, 0xfe]) {
        world.client.send(clientId, [Buffer.from([byte])]);
        await world.pass(0.5);
      }
      await world.until(() => server.closed.size === 1, 'the end');
      assert.equal(server.closed.get(serverId)?.reason, 'frame-size');
    }));

  test(`${name} network: a size prefix takes no memory that has not arrived, but for a bound`, (context) =>
    withNetwork(context, factory, async (world) => {
      const serverLimits = limits({ maxFrameBytes: 2 ** 30, budget: { maxBytes: 2 ** 31, usedBytes: 0 } });
      const { server, clientId } = await connectPair(world, { serverLimits });
      const before = process.memoryUsage().arrayBuffers;
      world.client.send(clientId, [sizePrefix(2 ** 30), pattern(100_000)]);
      await world.until(() => serverLimits.budget.usedBytes >= 100_000, 'the bytes');
      await world.pass(5);
      const { usedBytes } = serverLimits.budget;
      assert.ok(usedBytes <= 100_000 + 2 * 1024 * 1024, `${usedBytes} bytes are counted`);
      const grown = process.memoryUsage().arrayBuffers - before;
      assert.ok(grown < 8 * 1024 * 1024, `${grown} bytes were allocated`);
      assert.equal(server.frames.length, 0);
    }));
}
