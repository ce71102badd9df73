import assert from 'node:assert/strict';
import test from 'node:test';
import { connectPair, framed, limits, type NetworkFactory, Recorder, withNetwork } from './network.ts';
import { called, pattern } from './world.ts';

/** Listening, connecting, closing. */
export function networkLifeSuite(name: string, factory: NetworkFactory): void {
  listenSuite(name, factory);
  connectSuite(name, factory);
  closeSuite(name, factory);
}

function listenSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: a port in use is refused at once, with what the user can do`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { listener } = await connectPair(world);
      assert.ok(listener.port > 0);
      assert.throws(
        () =>
          world.server.listen({
            host: world.host,
            port: listener.port,
            limits: limits(),
            handler: new Recorder(world.server),
          }),
        (error: Error & { code?: string }) =>
          error.name === 'BrokerError' &&
          error.code === 'LISTEN_FAILED' &&
          error.message.includes(String(listener.port)) &&
          error.message.includes(world.host),
      );
    }));

  test(`${name} network: a closed listener takes no more connections and leaves those it has`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { listener, server, client, clientId } = await connectPair(world);
      listener.close();
      listener.close();
      await world.pass(1);
      const refused = world.client.connect({
        host: world.host,
        port: listener.port,
        limits: limits(),
        handler: client,
      });
      await world.until(() => client.closed.has(refused), 'the refusal');
      assert.equal(client.closed.get(refused)?.reason, 'connect');
      world.client.send(clientId, [framed(pattern(5))]);
      await world.until(() => server.frames.length === 1, 'a frame');
      const again = { host: world.host, port: listener.port, limits: limits(), handler: server };
      assert.equal(world.server.listen(again).port, listener.port, 'the port is free again');
    }));

  test(`${name} network: connections over the maximum are closed or wait, and get in when there is room`, (context) =>
    withNetwork(context, factory, async (world) => {
      const server = new Recorder(world.server);
      const client = new Recorder(world.client);
      const { port } = world.server.listen({
        host: world.host,
        port: 0,
        limits: limits(),
        handler: server,
        maxConnections: 2,
      });
      const connect = () =>
        world.client.connect({ host: world.host, port, limits: limits(), handler: client });
      const ids = [connect(), connect()];
      await world.until(() => server.opened.size === 2, 'two connections');
      const third = connect();
      await world.pass(20);
      assert.equal(server.opened.size, 2);
      world.client.close(ids[0] as number, 'now');
      await world.until(() => server.closed.size === 1, 'the first to end');
      if (client.closed.has(third)) connect();
      await world.until(() => server.opened.size === 3, 'room for another');
    }));
}

function connectSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: both ends are told of each other, and ids are never used again`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, clientId, serverId, listener } = await connectPair(world);
      assert.equal(client.opened.get(clientId)?.port, listener.port);
      assert.equal(client.opened.get(clientId)?.host, world.host);
      assert.ok((server.opened.get(serverId)?.port ?? 0) > 0);
      const seen = new Set([clientId]);
      for (let i = 0; i < 5; i++) {
        const id = world.client.connect({
          host: world.host,
          port: listener.port,
          limits: limits(),
          handler: client,
        });
        assert.ok(Number.isSafeInteger(id) && id > 0 && !seen.has(id));
        seen.add(id);
        await world.until(() => client.opened.has(id), 'a connection');
        world.client.close(id, 'now');
        await world.until(() => client.closed.has(id), 'its end');
      }
    }));

  test(`${name} network: an outgoing connection that cannot be made is closed in a later turn, without an open`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { listener, client } = await connectPair(world);
      listener.close();
      await world.pass(1);
      const id = client.outside(() =>
        world.client.connect({ host: world.host, port: listener.port, limits: limits(), handler: client }),
      );
      assert.ok(!client.closed.has(id));
      await world.until(() => client.closed.has(id), 'the failure');
      assert.equal(client.closed.get(id)?.reason, 'connect');
      assert.notEqual(client.closed.get(id)?.detail, '');
      assert.ok(!client.opened.has(id));
    }));

  test(`${name} network: closing before an outgoing connection stands is heard of once`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { listener, client } = await connectPair(world);
      const id = world.client.connect({
        host: world.host,
        port: listener.port,
        limits: limits(),
        handler: client,
      });
      client.outside(() => world.client.close(id, 'now'));
      await world.until(() => client.closed.has(id), 'the end');
      await world.pass(5);
      assert.equal(client.closed.get(id)?.reason, 'local');
      assert.ok(!client.opened.has(id));
    }));
}

function closeSuite(name: string, factory: NetworkFactory): void {
  test(`${name} network: closing at once ends both sides, once and in a later turn`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId } = await connectPair(world);
      server.outside(() => {
        world.server.close(serverId, 'now');
        world.server.close(serverId, 'now');
      });
      assert.equal(server.closed.size, 0);
      await world.until(() => server.closed.size === 1 && client.closed.size === 1, 'both ends');
      assert.equal(server.closed.get(serverId)?.reason, 'local');
      assert.ok(['peer', 'reset'].includes(client.closed.get(clientId)?.reason ?? ''));
      world.server.setCredits(serverId, 5);
      world.server.close(serverId, 'drain');
      await world.pass(3);
    }));

  test(`${name} network: closing after a drain sends everything first`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId } = await connectPair(world, { clientCredits: 0 });
      const frames = Array.from({ length: 12 }, (_, i) => pattern(1_000_000, i));
      for (const frame of frames) world.server.send(serverId, [framed(frame)]);
      server.outside(() => world.server.close(serverId, 'drain'));
      await world.pass(5);
      client.give(clientId, 100);
      await world.until(() => client.closed.size === 1 && server.closed.size === 1, 'both ends');
      assert.equal(client.frames.length, 12);
      client.received.forEach((bytes, i) => assert.ok(bytes.equals(frames[i] as Buffer)));
      assert.equal(server.closed.get(serverId)?.reason, 'local');
      assert.equal(client.closed.get(clientId)?.reason, 'peer');
    }));

  test(`${name} network: after it was closed a connection hands over nothing`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, serverId, clientId } = await connectPair(world);
      server.onTable = () => world.server.close(serverId, 'now');
      world.client.send(clientId, [framed(pattern(10)), framed(pattern(20))]);
      await world.until(() => server.closed.size === 1, 'the end');
      await world.pass(3);
      assert.ok(server.frames.length <= 2);
      const before = server.frames.length;
      world.client.send(clientId, [framed(pattern(10))]);
      await world.pass(3);
      assert.equal(server.frames.length, before);
    }));

  test(`${name} network: shutting down ends listeners and connections, and says when`, (context) =>
    withNetwork(context, factory, async (world) => {
      const { server, client, serverId, clientId } = await connectPair(world);
      await called<null>(world, (done) => world.server.shutdown(() => done(null)));
      assert.equal(server.closed.get(serverId)?.reason, 'local');
      if (world.client !== world.server) {
        await world.until(() => client.closed.has(clientId), 'the other end');
      }
    }));
}
