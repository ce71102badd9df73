import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokerError } from '../base/broker-error.ts';
import { createLogger } from '../base/logger.ts';
import { developmentConfig } from '../config/development.ts';
import type { EndSignal } from '../io/node/process.ts';
import { type RunningBroker, serve } from './serve.ts';

/** A process whose signals the test sends, and a broker whose start and end it decides. */
function setup(overrides: Record<string, string> = {}, human = true) {
  const lines: string[] = [];
  const errors: string[] = [];
  const exits: number[] = [];
  let onSignal: (signal: EndSignal) => void = () => assert.fail('no handler of signals');
  let onError: (error: unknown) => void = () => assert.fail('no handler of errors');
  const started = Promise.withResolvers<RunningBroker>();
  const closed = Promise.withResolvers<void>();
  let closes = 0;
  const broker: RunningBroker = {
    addresses: [{ listenerName: 'PLAINTEXT', host: '127.0.0.1', port: 40000 }],
    adminAddress: overrides['odradek.admin.port'] === '0' ? { host: '127.0.0.1', port: 40001 } : null,
    close: () => (closes++, closed.promise),
  };
  const served = serve(
    {
      config: developmentConfig(overrides, { hostName: 'h', workingDirectory: '/w' }),
      logger: createLogger({ sink: (line) => lines.push(line.slice(25)), wallMs: () => 0, format: 'human' }),
      human,
      startBroker: () => started.promise,
    },
    {
      out: (line) => lines.push(line),
      err: (line) => errors.push(line),
      onEndSignal: (handler) => (onSignal = handler),
      onUncaught: (handler) => (onError = handler),
      exit: (code) => exits.push(code),
      uptimeMs: () => 123.4,
    },
  );
  return {
    lines,
    errors,
    exits,
    served,
    closes: () => closes,
    signal: (signal: EndSignal) => onSignal(signal),
    uncaught: (error: unknown) => onError(error),
    started: () => started.resolve(broker),
    startFailed: (error: Error) => started.reject(error),
    closed: () => closed.resolve(),
    closeFailed: (error: Error) => closed.reject(error),
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('readiness names the address to connect to, and a person gets a hint of two lines', async () => {
  const process = setup();
  process.started();
  await process.served;
  assert.deepEqual(process.lines.slice(1), [
    'INFO  Ready connectTo=127.0.0.1:9092 data=/w/odradek-data startMs=123',
    '  Connect Kafka clients to 127.0.0.1:9092, for example: echo hello | kcat -b 127.0.0.1:9092 -P -t greetings',
    '  Data is in /w/odradek-data; Ctrl-C stops. What can be set: odradek --help',
  ]);
  assert.deepEqual(process.exits, []);
});

test('ports that were left open are told as they were bound, and logs for programs have no hint', async () => {
  const process = setup({ listeners: 'PLAINTEXT://127.0.0.1:0', 'odradek.admin.port': '0' }, false);
  process.started();
  await process.served;
  assert.deepEqual(process.lines.slice(1), [
    'INFO  Ready connectTo=127.0.0.1:40000 admin=127.0.0.1:40001 data=/w/odradek-data startMs=123',
  ]);
});

test('settings without effect are told before the start', async () => {
  const process = setup({ 'num.partition': '1' }, false);
  process.started();
  await process.served;
  assert.match(process.lines[1] ?? '', /^WARN  Unknown setting num.partition .*num.partitions/);
});

test('the first signal closes the broker and exits with 0', async () => {
  const process = setup();
  process.started();
  await process.served;
  process.signal('SIGTERM');
  await turn();
  assert.deepEqual([process.closes(), process.exits], [1, []]);
  process.closed();
  await turn();
  assert.deepEqual(process.exits, [0]);
  assert.equal(process.lines.at(-1), 'INFO  Stopped cleanly');
});

test('a second signal exits at once with the number of the signal', async () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const process = setup();
    process.started();
    await process.served;
    process.signal('SIGTERM');
    process.signal(signal);
    assert.deepEqual([process.closes(), process.exits], [1, [code]]);
  }
});

test('a signal during the start lets it finish and closes', async () => {
  const process = setup();
  process.signal('SIGINT');
  process.started();
  await turn();
  assert.equal(process.closes(), 1);
  process.closed();
  await process.served;
  assert.deepEqual(process.exits, [0]);
  assert.ok(!process.lines.some((line) => line.includes('Ready')));
});

test('a start that fails says why and exits with 1', async () => {
  const process = setup();
  process.startFailed(new BrokerError('DIRECTORY_LOCKED', 'Another broker has /w'));
  await process.served;
  assert.deepEqual(process.errors, [
    'odradek: Another broker has /w; the option for another directory is --data-dir',
  ]);
  assert.deepEqual(process.exits, [1]);
});

test('an end that fails exits with 1', async () => {
  const process = setup();
  process.started();
  await process.served;
  process.signal('SIGTERM');
  process.closeFailed(new BrokerError('DISK', 'No room'));
  await turn();
  assert.deepEqual(process.exits, [1]);
  assert.equal(process.lines.at(-1), 'ERROR Could not stop cleanly error="No room"');
});

test('an error that nothing caught is one line and exits with 1 without closing', async () => {
  const process = setup();
  process.started();
  await process.served;
  process.uncaught(new TypeError('x'));
  assert.deepEqual([process.closes(), process.exits], [0, [1]]);
  assert.match(process.lines.at(-1) ?? '', /^ERROR Stopping because of an unexpected error.*TypeError: x/);
});
