import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientWorld, type ClientWorld, MODEL_PORT } from '../../test/harness/client-world.ts';
import { INIT_PRODUCER_ID, METADATA, PRODUCE } from './apis.ts';
import { ClientError } from './client-error.ts';
import { Connection } from './connection.ts';

function connect(world: ClientWorld, port = MODEL_PORT): { connection: Connection; closed: ClientError[] } {
  const closed: ClientError[] = [];
  const connection = new Connection(
    {
      network: world.network,
      clock: world.clock,
      host: 'model',
      port,
      clientId: 'test',
      software: { name: 'odradek', version: '1.0' },
      requestTimeoutMs: 1_000,
      maxResponseBytes: 1 << 20,
      budget: { maxBytes: 1 << 20, usedBytes: 0 },
    },
    (error) => closed.push(error),
  );
  return { connection, closed };
}

const initProducerId = () => ({ transactionalId: null, transactionTimeoutMs: 1 });

test('requests given before the connection is ready are sent after the negotiation, and answers go to who asked', () => {
  const world = clientWorld();
  const { connection } = connect(world);
  const ids: number[] = [];
  for (let i = 0; i < 4; i++) {
    connection.send(INIT_PRODUCER_ID, initProducerId, {}, (answer) => {
      assert.ok(!(answer instanceof ClientError));
      ids.push(answer.producerId);
    });
  }
  assert.equal(connection.unansweredCount, 4);
  world.clock.runUntilIdle();
  assert.deepEqual(ids, [100, 101, 102, 103]);
  assert.deepEqual(
    world.broker.seen.map(({ apiKey }) => apiKey),
    [18, 22, 22, 22, 22],
  );
  assert.equal(connection.unansweredCount, 0);
});

test('the highest version that both sides speak is used, and a request can ask for a lower one', () => {
  const world = clientWorld({ 3: 9 });
  const { connection } = connect(world);
  const versions: number[] = [];
  const prepare = (version: number) => {
    versions.push(version);
    return { topics: [] };
  };
  connection.send(METADATA, prepare, {}, () => undefined);
  connection.send(METADATA, prepare, { maxVersion: 4 }, () => undefined);
  world.clock.runUntilIdle();
  assert.deepEqual(versions, [9, 4]);
  assert.deepEqual(
    world.broker.seen.slice(1).map(({ apiVersion }) => apiVersion),
    [9, 4],
  );
});

test('a broker that does not know our ApiVersions version is asked again in one that it knows', () => {
  const world = clientWorld({ 18: 2 });
  const { connection } = connect(world);
  world.clock.runUntilIdle();
  assert.deepEqual(
    world.broker.seen.map(({ apiVersion }) => apiVersion),
    [4, 2],
  );
  assert.ok(connection.ready);
});

test('an API without a common version is an error of that request alone', () => {
  const world = clientWorld({ 3: -1 });
  const { connection } = connect(world);
  const outcomes: unknown[] = [];
  connection.send(
    METADATA,
    () => ({ topics: [] }),
    {},
    (outcome) => outcomes.push(outcome),
  );
  connection.send(INIT_PRODUCER_ID, initProducerId, {}, (outcome) => outcomes.push(outcome));
  world.clock.runUntilIdle();
  assert.ok(outcomes[0] instanceof ClientError && outcomes[0].reason === 'VERSION_UNSUPPORTED');
  assert.match(outcomes[0].message, /Metadata in versions 0..-1/);
  assert.ok(!(outcomes[1] instanceof ClientError));
});

test('a request without an answer ends the connection at its deadline, and all that waited fail', () => {
  const world = clientWorld();
  const { connection, closed } = connect(world);
  world.broker.meddle = ({ apiKey }) => (apiKey === 18 ? null : 'silence');
  const outcomes: unknown[] = [];
  connection.send(INIT_PRODUCER_ID, initProducerId, { timeoutMs: 300 }, (outcome) => outcomes.push(outcome));
  connection.send(
    METADATA,
    () => ({ topics: [] }),
    {},
    (outcome) => outcomes.push(outcome),
  );
  world.clock.runUntilTrue(() => closed.length > 0);
  assert.equal(Math.round(world.clock.monotonicMs()), 300);
  for (const outcome of outcomes)
    assert.ok(outcome instanceof ClientError && outcome.reason === 'REQUEST_TIMEOUT');
  assert.equal(outcomes.length, 2);
  assert.ok(connection.closed);
  world.clock.runUntilIdle();
  assert.equal(closed.length, 1);
});

test('a broker that hangs up, one that is not there and one that talks nonsense are told apart', () => {
  const world = clientWorld();
  const hungUp = connect(world);
  world.broker.meddle = ({ apiKey }) => (apiKey === 22 ? 'lose-request' : null);
  let outcome: unknown;
  hungUp.connection.send(INIT_PRODUCER_ID, initProducerId, {}, (given) => {
    outcome = given;
  });
  world.clock.runUntilIdle();
  assert.ok(outcome instanceof ClientError && outcome.reason === 'CONNECTION_CLOSED' && outcome.retriable);

  const absent = connect(world, 1);
  world.clock.runUntilIdle();
  assert.equal(absent.closed[0]?.reason, 'CONNECT_FAILED');
  absent.connection.send(
    METADATA,
    () => ({ topics: [] }),
    {},
    (given) => {
      outcome = given;
    },
  );
  assert.ok(outcome instanceof ClientError && outcome.reason === 'CONNECTION_CLOSED');

  world.network.setHost(2, ({ frame }) => Buffer.concat([frame.subarray(4, 8), Buffer.alloc(3, 0xff)]));
  const nonsense = connect(world, 2);
  world.clock.runUntilIdle();
  assert.equal(nonsense.closed[0]?.reason, 'MALFORMED_RESPONSE');

  world.network.setHost(3, () => Buffer.from([0, 0, 9, 9, 0, 0]));
  const mixedUp = connect(world, 3);
  world.clock.runUntilIdle();
  assert.match(mixedUp.closed[0]?.message ?? '', /correlation id 2313/);
});

test('a request that is not answered is done when it was sent', () => {
  const world = clientWorld();
  world.broker.createTopic('t', 1);
  const { connection } = connect(world);
  let outcome: unknown = 'none yet';
  connection.send(
    PRODUCE,
    () => ({ acks: 0, timeoutMs: 1, topicData: [] }),
    { answered: false },
    (given) => {
      outcome = given;
    },
  );
  assert.equal(outcome, 'none yet');
  world.clock.runUntilIdle();
  assert.equal(outcome, undefined);
  assert.equal(world.broker.seen.at(-1)?.apiKey, 0);
});

test('closing tells every request, once, and the owner after them', () => {
  const world = clientWorld();
  const { connection, closed } = connect(world);
  const order: string[] = [];
  connection.send(
    METADATA,
    () => ({ topics: [] }),
    {},
    (outcome) => {
      assert.ok(outcome instanceof ClientError && outcome.reason === 'CLOSED');
      assert.equal(closed.length, 0);
      order.push('request');
    },
  );
  connection.close(new ClientError('CLOSED', 'enough'));
  connection.close(new ClientError('CLOSED', 'enough'));
  assert.deepEqual(order, ['request']);
  assert.equal(closed.length, 1);
  world.clock.runUntilIdle();
  assert.equal(closed.length, 1);
});
