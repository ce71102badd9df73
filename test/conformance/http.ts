import assert from 'node:assert/strict';
import test from 'node:test';
import type { BrokerError } from '../../src/base/broker-error.ts';
import type { HttpHandler, HttpListener, HttpResponse, HttpServer } from '../../src/io/http.ts';
import type { World } from './world.ts';

/** An HTTP port under test, and a way to ask it. */
export interface HttpWorld extends World {
  readonly http: HttpServer;
  readonly host: string;
  /** Null when the server cannot be reached. */
  ask(port: number, method: string, path: string): Promise<HttpResponse | null>;
}

/** What every `HttpServer` does. */
export function httpSuite(name: string, makeWorld: () => HttpWorld): void {
  test(`${name} http: a request reaches the handler, and its answer comes back`, async () => {
    const world = makeWorld();
    const seen: unknown[] = [];
    const listener = await listen(world, 0, (request, respond) => {
      seen.push(request);
      const answer = { status: 200, contentType: 'text/plain; charset=utf-8', body: 'grüße\n' };
      if (request.path === '/later')
        world.clock.schedule(world.clock.monotonicMs() + 5, () => respond(answer));
      else respond(answer);
    });
    assert.ok(listener.port > 0);
    for (const path of ['/metrics', '/later']) {
      const response = await world.ask(listener.port, 'GET', path);
      assert.equal(response?.status, 200);
      assert.equal(response?.contentType, 'text/plain; charset=utf-8');
      assert.equal(response?.body, 'grüße\n');
    }
    assert.deepEqual(seen, [
      { method: 'GET', path: '/metrics' },
      { method: 'GET', path: '/later' },
    ]);
    await close(world, listener);
    assert.equal(await world.ask(listener.port, 'GET', '/'), null);
  });

  test(`${name} http: a port in use is an error`, async () => {
    const world = makeWorld();
    const listener = await listen(world, 0, () => {});
    await assert.rejects(
      listen(world, listener.port, () => {}),
      { name: 'BrokerError', code: 'LISTEN_FAILED' },
    );
    await close(world, listener);
  });
}

async function listen(world: HttpWorld, port: number, handler: HttpHandler): Promise<HttpListener> {
  const results: [BrokerError | null, HttpListener | null][] = [];
  world.http.listen({ host: world.host, port, handler }, (error, listener) =>
    results.push([error, listener]),
  );
  assert.equal(results.length, 0, 'the callback comes in a later turn');
  await world.until(() => results.length > 0, 'the listener');
  const [error, listener] = results[0] as [BrokerError | null, HttpListener | null];
  if (error !== null) throw error;
  return listener as HttpListener;
}

async function close(world: HttpWorld, listener: HttpListener): Promise<void> {
  let closed = false;
  listener.close(() => (closed = true));
  await world.until(() => closed, 'the close');
}
