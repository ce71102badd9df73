import assert from 'node:assert/strict';
import test from 'node:test';
import { VirtualHttpServer } from '../../sim/virtual/http.ts';
import type { HttpListener, HttpResponse } from '../../src/io/http.ts';
import { NodeHttpServer } from '../../src/io/node/http-server.ts';
import { httpSuite } from './http.ts';
import { realWorld } from './real-world.ts';
import { virtualWorld } from './virtual-world.ts';

httpSuite('node', () => ({
  ...realWorld(),
  http: new NodeHttpServer(),
  host: '127.0.0.1',
  ask: async (port, method, path) => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}?query=1`, { method });
      const contentType = response.headers.get('content-type') ?? '';
      return { status: response.status, contentType, body: await response.text() };
    } catch {
      return null;
    }
  },
}));

httpSuite('virtual', () => {
  const world = virtualWorld();
  const http = new VirtualHttpServer(world.clock);
  return {
    ...world,
    http,
    host: 'broker-1',
    ask: async (port, method, path) => {
      const answers: (HttpResponse | null)[] = [];
      http.request(port, method, path, (response) => answers.push(response));
      await world.until(() => answers.length > 0, 'an answer');
      return answers[0] ?? null;
    },
  };
});

test('node http: HEAD has the length and no body, and a body that is sent is not read', async () => {
  const { promise, resolve } = Promise.withResolvers<HttpListener>();
  new NodeHttpServer().listen(
    {
      host: '127.0.0.1',
      port: 0,
      handler: (_request, respond) =>
        respond({ status: 200, contentType: 'text/plain', body: 'twelve bytes' }),
    },
    (_error, listener) => resolve(listener as HttpListener),
  );
  const listener = await promise;
  const url = `http://127.0.0.1:${listener.port}/`;
  const head = await fetch(url, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '12');
  assert.equal(await head.text(), '');
  const post = await fetch(url, { method: 'POST', body: 'x'.repeat(1_000_000) });
  assert.equal(await post.text(), 'twelve bytes');
  await new Promise<void>((done) => listener.close(done));
});
