import assert from 'node:assert/strict';
import test from 'node:test';
import { Random } from '../../src/base/random.ts';
import type { SendPart } from '../../src/io/network.ts';
import {
  connectPair,
  fileOf,
  framed,
  isReleased,
  type NetworkFactory,
  sizePrefix,
  withNetwork,
} from './network.ts';
import { pattern } from './world.ts';

/** Sending: order, back-pressure, file ranges. */
export function networkSendSuite(name: string, factory: NetworkFactory): void {
  pressureSuite(name, factory);
  orderSuite(name, factory);
  rangeSuite(name, factory);
  revocationSuite(name, factory);
}

/** More than all buffers between two sockets hold. */
const FLOOD_BYTES = 24 * 1024 * 1024;

function pressureSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: what a slow reader does not take is told, and the drain when it has`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId } = await connectPair(world, { clientCredits: 0 });
      const frame = pattern(1024 * 1024 - 4);
      const count = FLOOD_BYTES / (1024 * 1024);
      let unsent = 0;
      for (let i = 0; i < count; i++) {
        unsent = server.outside(() => world.server.send(serverId, [framed(frame)]));
        assert.equal(unsent, world.server.unsentBytes(serverId));
      }
      assert.ok(unsent > 0);
      await world.pass(10);
      assert.ok(
        world.server.unsentBytes(serverId) > 1024 * 1024,
        'a reader without credits takes only so much',
      );
      assert.equal(server.drained.length, 0);
      client.give(clientId, count);
      await world.until(() => client.frames.length === count, 'all frames');
      await world.until(() => server.drained.length === 1, 'the drain');
      assert.equal(world.server.unsentBytes(serverId), 0);
      for (const bytes of client.received) assert.ok(bytes.equals(frame));
    }));

  test(`${name} network: parts of all sizes leave as one stream in their order`, (context) =>
    withNetwork(context, factory, async (world) => {
      const random = new Random(9);
      const { client, serverId } = await connectPair(world);
      const file = await fileOf(world, 'f', 400_000);
      const frames: Buffer[] = [];
      for (let i = 0; i < 60; i++) {
        const parts: SendPart[] = [];
        const pieces: Buffer[] = [];
        for (let p = random.between(0, 5); p > 0; p--) {
          const lengthBytes = random.between(1, random.chance(0.2) ? 300_000 : 500);
          const position = random.below(400_000 - lengthBytes);
          pieces.push(random.chance(0.4) ? Buffer.alloc(0) : pattern(random.below(2000), i));
          parts.push(pieces.at(-1) as Buffer);
          pieces.push(pattern(400_000).subarray(position, position + lengthBytes));
          parts.push(file.lease(position, lengthBytes));
        }
        const frame = Buffer.concat(pieces);
        frames.push(frame);
        world.server.send(serverId, [sizePrefix(frame.length), ...parts]);
        if (random.chance(0.1)) await world.pass(0.5);
      }
      await world.until(() => client.frames.length === frames.length, 'all frames');
      client.received.forEach((bytes, i) => assert.ok(bytes.equals(frames[i] as Buffer), `frame ${i}`));
    }));
}

function orderSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: both ends may send at once without waiting for each other`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId } = await connectPair(world);
      for (let i = 0; i < 6; i++) {
        world.server.send(serverId, [framed(pattern(2_000_000, i))]);
        world.client.send(clientId, [framed(pattern(2_000_000, i + 50))]);
      }
      await world.until(() => server.frames.length === 6 && client.frames.length === 6, 'all frames');
      client.received.forEach((bytes, i) => assert.ok(bytes.equals(pattern(2_000_000, i))));
      server.received.forEach((bytes, i) => assert.ok(bytes.equals(pattern(2_000_000, i + 50))));
    }));

  test(`${name} network: what is sent before an outgoing connection stands goes out first`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, listener } = await connectPair(world);
      const early = world.client.connect({
        host: world.host,
        port: listener.port,
        limits: { maxFrameBytes: 100, frameTimeoutMs: 1000, budget: { maxBytes: 1000, usedBytes: 0 } },
        handler: client,
      });
      world.client.send(early, [framed(pattern(10, 1))]);
      await world.until(() => client.opened.has(early), 'the connection');
      world.client.send(early, [framed(pattern(10, 2))]);
      await world.until(() => server.frames.length === 2, 'both frames');
      assert.deepEqual(server.received, [pattern(10, 1), pattern(10, 2)]);
    }));
}

function rangeSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: a range is given back when it was sent, one for each send`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { client, serverId } = await connectPair(world);
      const file = await fileOf(world, 'f', 2_500_000);
      const ranges = [file.lease(0, 2_500_000), file.lease(7, 100), file.lease(2_499_999, 1)];
      for (const range of ranges) world.server.send(serverId, [sizePrefix(range.lengthBytes), range]);
      await world.until(() => client.frames.length === 3, 'three frames');
      await world.until(() => ranges.every(isReleased), 'the references');
      client.received.forEach((bytes, i) => {
        const { position, lengthBytes } = ranges[i] as { position: number; lengthBytes: number };
        assert.ok(bytes.equals(pattern(2_500_000).subarray(position, position + lengthBytes)));
      });
    }));

  test(`${name} network: ranges to a slow reader outlive the deletion of their files`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { client, serverId, clientId } = await connectPair(world, { clientCredits: 0 });
      const lengthBytes = 2_000_000;
      for (let i = 0; i < 10; i++) {
        const file = await fileOf(world, `segment-${i}`, lengthBytes);
        world.server.send(serverId, [sizePrefix(lengthBytes), file.lease(0, lengthBytes)]);
        if (i % 2 === 0) file.unlink();
        else file.close();
      }
      world.disk.removeTree(world.root);
      assert.ok(world.server.unsentBytes(serverId) > 0);
      client.give(clientId, 100);
      await world.until(() => client.frames.length === 10, 'all frames');
      for (const bytes of client.received) assert.ok(bytes.equals(pattern(lengthBytes)));
    }));

  test(`${name} network: ranges are given back when the connection ends before they are sent, or was gone already`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, serverId, clientId } = await connectPair(world, { clientCredits: 0 });
      const file = await fileOf(world, 'f', 2_000_000);
      const queued = Array.from({ length: 12 }, () => file.lease(0, 2_000_000));
      for (const range of queued) world.server.send(serverId, [sizePrefix(2_000_000), range]);
      assert.ok(!isReleased(queued[11] as (typeof queued)[0]));
      world.client.close(clientId, 'now');
      await world.until(() => server.closed.size === 1, 'the end');
      await world.until(() => queued.every(isReleased), 'the references');
      const late = file.lease(0, 10);
      assert.equal(world.server.send(serverId, [sizePrefix(10), late]), 0);
      assert.ok(isReleased(late));
      assert.equal(world.server.unsentBytes(serverId), 0);
    }));
}

function revocationSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: truncation under a range that waits ends the connection, and no wrong byte is sent`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId } = await connectPair(world, { clientCredits: 0 });
      const lengthBytes = 3_000_000;
      const file = await fileOf(world, 'f', lengthBytes);
      const ranges = Array.from({ length: 8 }, () => file.lease(0, lengthBytes));
      for (const range of ranges) world.server.send(serverId, [sizePrefix(lengthBytes), range]);
      // Long enough for all buffers to be full: nobody looks at the ranges any more unless told.
      await world.pass(40);
      assert.ok(world.server.unsentBytes(serverId) > 0);
      server.outside(() => file.truncate(1000));
      let appended = false;
      file.append([Buffer.alloc(lengthBytes, 0xee)], () => (appended = true));
      await world.until(() => appended && server.closed.size === 1, 'the end');
      assert.equal(server.closed.get(serverId)?.reason, 'range');
      await world.until(() => ranges.every(isReleased), 'the references');
      client.give(clientId, 100);
      await world.until(() => client.closed.size === 1, 'the other end');
      for (const bytes of client.received) assert.ok(bytes.equals(pattern(lengthBytes)));
    }));

  test(`${name} network: a range that is revoked before it is sent ends the connection`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId } = await connectPair(world);
      const file = await fileOf(world, 'f', 1000);
      const [good, revoked, behind] = [file.lease(0, 10), file.lease(500, 100), file.lease(0, 5)];
      file.truncate(100);
      const parts = [sizePrefix(10), good, sizePrefix(100), revoked, sizePrefix(5), behind];
      server.outside(() => world.server.send(serverId, parts));
      await world.until(() => server.closed.size === 1 && client.closed.size === 1, 'the end');
      assert.equal(server.closed.get(serverId)?.reason, 'range');
      assert.ok([good, revoked, behind].every(isReleased));
      assert.ok(client.frames.length <= 1);
    }));

  test(`${name} network: truncation behind a range leaves it alone`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId } = await connectPair(world, { clientCredits: 0 });
      const file = await fileOf(world, 'f', 3_000_000);
      for (let i = 0; i < 8; i++) {
        world.server.send(serverId, [sizePrefix(2_000_000), file.lease(0, 2_000_000)]);
      }
      file.truncate(2_000_000);
      client.give(clientId, 100);
      await world.until(() => client.frames.length === 8, 'all frames');
      assert.equal(server.closed.size, 0);
    }));
}
