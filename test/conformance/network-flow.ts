import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConnectionId } from '../../src/io/network.ts';
import {
  connectPair,
  framed,
  limits,
  type NetworkFactory,
  type Recorder,
  sizePrefix,
  withNetwork,
} from './network.ts';
import { pattern } from './world.ts';

/** Flow control of what is received: credits, budgets, deadlines. */
export function networkFlowSuite(name: string, factory: NetworkFactory): void {
  creditSuite(name, factory);
  deadlineSuite(name, factory);
  budgetSuite(name, factory);
}

function creditSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: without credits nothing is handed over, with n of them n frames`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, serverId, clientId } = await connectPair(world, { serverCredits: 0 });
      const frames = Array.from({ length: 10 }, (_, i) => pattern(50, i));
      world.client.send(clientId, [framed(...frames)]);
      await world.pass(5);
      assert.equal(server.frames.length, 0);
      let expected = 0;
      for (const credits of [3, 0, 1, 2, 0]) {
        server.give(serverId, credits);
        expected += credits;
        await world.until(() => server.frames.length === expected, `${expected} frames`);
        await world.pass(2);
        assert.equal(server.frames.length, expected);
      }
      server.give(serverId, 100);
      await world.until(() => server.frames.length === 10, 'the rest');
      assert.deepEqual(server.received, frames);
    }));

  test(`${name} network: credits set inside onFrames count from there`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, serverId, clientId } = await connectPair(world, { serverCredits: 1 });
      server.onTable = (table) => {
        assert.equal(table.count, 1);
        if (server.frames.length < 5) server.give(serverId, 1);
      };
      world.client.send(clientId, [framed(...Array.from({ length: 10 }, (_, i) => pattern(9, i)))]);
      await world.until(() => server.frames.length === 6, 'six frames');
      await world.pass(3);
      assert.equal(server.frames.length, 6);
    }));

  test(`${name} network: a muted connection does not hold up the others`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId, listener } = await connectPair(world, { serverCredits: 0 });
      world.client.send(clientId, [framed(pattern(1_000_000))]);
      const other = await another(world, server, client, listener.port);
      server.give(other.serverId, 1);
      world.client.send(other.clientId, [framed(pattern(5))]);
      await world.until(() => server.frames.length === 1, 'the other frame');
      assert.equal(server.frames[0]?.connection, other.serverId);
      server.give(serverId, 1);
      await world.until(() => server.frames.length === 2, 'the muted frame');
    }));

  test(`${name} network: what a peer sent before it closed is handed over, as credits allow`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, serverId, clientId } = await connectPair(world, { serverCredits: 0 });
      const frames = Array.from({ length: 20 }, (_, i) => pattern(5000, i));
      world.client.send(clientId, [framed(...frames)]);
      world.client.close(clientId, 'drain');
      await world.pass(5);
      while (server.frames.length < 20) {
        assert.equal(server.closed.size, 0);
        const next = server.frames.length + 4;
        server.give(serverId, 4);
        await world.until(() => server.frames.length === next, `${next} frames`);
      }
      server.give(serverId, 1);
      await world.until(() => server.closed.size === 1, 'the end');
      assert.equal(server.closed.get(serverId)?.reason, 'peer');
      assert.deepEqual(server.received, frames);
    }));
}

function deadlineSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: a frame that dribbles past its deadline is cut`, (context) =>
    withNetwork(context, factory, async (world) => {
      const serverLimits = limits({ frameTimeoutMs: 150 });
      const { server, client, serverId, clientId } = await connectPair(world, { serverLimits });
      world.client.send(clientId, [sizePrefix(1000)]);
      const startMs = world.clock.monotonicMs();
      for (let i = 0; i < 100 && client.closed.size === 0; i++) {
        world.client.send(clientId, [pattern(1)]);
        await world.pass(10);
      }
      await world.until(() => server.closed.size === 1, 'the cut');
      assert.equal(server.closed.get(serverId)?.reason, 'frame-timeout');
      const tookMs = world.clock.monotonicMs() - startMs;
      assert.ok(tookMs >= 140 && tookMs < 1000, `cut after ${tookMs} ms`);
    }));

  test(`${name} network: the deadline is of one frame, and does not count between frames`, (context) =>
    withNetwork(context, factory, async (world) => {
      const serverLimits = limits({ frameTimeoutMs: 300 });
      const { server, clientId } = await connectPair(world, { serverLimits });
      const stream = framed(...Array.from({ length: 8 }, (_, i) => pattern(20, i)));
      for (let at = 0; at < stream.length; at += 12) {
        world.client.send(clientId, [stream.subarray(at, at + 12)]);
        await world.pass(60);
      }
      await world.until(() => server.frames.length === 8, 'all frames');
      await world.pass(400);
      assert.equal(server.closed.size, 0);
    }));

  test(`${name} network: the deadline does not count while there are no credits`, (context) =>
    withNetwork(context, factory, async (world) => {
      const serverLimits = limits({ frameTimeoutMs: 150 });
      const { server, serverId, clientId } = await connectPair(world, { serverLimits, serverCredits: 1 });
      const frame = framed(pattern(50_000));
      world.client.send(clientId, [framed(pattern(10)), frame.subarray(0, 20_000)]);
      await world.until(() => server.frames.length === 1, 'the first frame');
      await world.pass(400);
      assert.equal(server.closed.size, 0, 'muted: it waits');
      world.client.send(clientId, [frame.subarray(20_000)]);
      server.give(serverId, 1);
      await world.until(() => server.frames.length === 2, 'the second frame');
      server.give(serverId, 1);
      world.client.send(clientId, [frame.subarray(0, 20_000)]);
      await world.pass(50);
      server.give(serverId, 0);
      await world.pass(400);
      assert.equal(server.closed.size, 0, 'muted inside a frame: it waits too');
      server.give(serverId, 1);
      await world.until(() => server.closed.size === 1, 'the cut');
      assert.equal(server.closed.get(serverId)?.reason, 'frame-timeout');
    }));
}

function budgetSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: connections over the shared budget wait for each other, and all get through`, (context) =>
    withNetwork(context, factory, async (world) => {
      const budget = { maxBytes: 1024 * 1024, usedBytes: 0 };
      const first = await connectPair(world, { serverLimits: limits({ budget }) });
      const { server, client, listener } = first;
      const ids = [first.clientId];
      while (ids.length < 8) ids.push((await another(world, server, client, listener.port)).clientId);
      let most = 0;
      server.onTable = () => (most = Math.max(most, budget.usedBytes));
      const frame = framed(pattern(700_000));
      for (const id of ids) world.client.send(id, [frame.subarray(0, 300_000)]);
      for (let i = 0; i < 20; i++) {
        await world.pass(1);
        most = Math.max(most, budget.usedBytes);
      }
      for (const id of ids) world.client.send(id, [frame.subarray(300_000)]);
      await world.until(() => server.frames.length === 8, 'all frames');
      // One connection may go past it by a frame; each may have taken one read's worth when it was reached.
      assert.ok(most <= budget.maxBytes + 1_500_000 + 8 * 128 * 1024, `${most} bytes were held`);
      await world.until(() => budget.usedBytes === 0, 'the budget to be free');
      for (const bytes of server.received) assert.ok(bytes.equals(pattern(700_000)));
    }));

  test(`${name} network: a frame larger than the budget gets through, and connections that die give it back`, (context) =>
    withNetwork(context, factory, async (world) => {
      const budget = { maxBytes: 100_000, usedBytes: 0 };
      const { server, client, clientId, listener } = await connectPair(world, {
        serverLimits: limits({ budget }),
      });
      const second = await another(world, server, client, listener.port);
      const frame = framed(pattern(900_000));
      world.client.send(clientId, [frame.subarray(0, 500_000)]);
      await world.pass(5);
      world.client.send(second.clientId, [frame]);
      await world.pass(5);
      world.client.close(clientId, 'now');
      await world.until(() => server.frames.length === 1, 'the other frame');
      assert.equal(server.frames[0]?.connection, second.serverId);
      await world.until(() => budget.usedBytes === 0, 'the budget to be free');
    }));
}

async function another(
  world: Parameters<typeof connectPair>[0],
  server: Recorder,
  client: Recorder,
  port: number,
): Promise<{ clientId: ConnectionId; serverId: ConnectionId }> {
  const before = new Set(server.opened.keys());
  const clientId = world.client.connect({ host: world.host, port, limits: limits(), handler: client });
  await world.until(() => server.opened.size > before.size && client.opened.has(clientId), 'a connection');
  const serverId = [...server.opened.keys()].find((id) => !before.has(id));
  assert.ok(serverId !== undefined);
  return { clientId, serverId };
}
