import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from './logger.ts';
import { limitRepeats } from './repeat-limiter.ts';

function setup(maxMessages?: number) {
  const lines: string[] = [];
  let nowMs = 0;
  const target = createLogger({
    sink: (line) => lines.push(line.slice(25)),
    wallMs: () => 0,
    format: 'human',
  });
  const limits = { maxPerInterval: 2, intervalMs: 1000, monotonicMs: () => nowMs };
  const limiter = limitRepeats(target, maxMessages === undefined ? limits : { ...limits, maxMessages });
  return { lines, limiter, logger: limiter.logger, advance: (ms: number) => (nowMs += ms) };
}

test('only the first lines of a message pass in an interval, and the rest is told as a number afterwards', () => {
  const { lines, logger, advance } = setup();
  for (let i = 0; i < 1000; i++) logger.warn('Bad frame', { i });
  logger.warn('Other');
  assert.deepEqual(lines, ['WARN  Bad frame i=0', 'WARN  Bad frame i=1', 'WARN  Other']);
  advance(1000);
  logger.info('Later');
  logger.warn('Bad frame', { i: 1000 });
  assert.deepEqual(lines.slice(3), [
    'WARN  Held back repeated lines line="Bad frame" suppressed=998',
    'INFO  Later',
    'WARN  Bad frame i=1000',
  ]);
});

test('children share the count, levels do not', () => {
  const { lines, logger } = setup();
  logger.child({ a: 1 }).warn('Same');
  logger.child({ a: 2 }).warn('Same');
  logger.child({ a: 3 }).warn('Same');
  logger.error('Same');
  assert.deepEqual(lines, ['WARN  Same a=1', 'WARN  Same a=2', 'ERROR Same']);
});

test('flush tells what is held back, once', () => {
  const { lines, limiter } = setup();
  for (let i = 0; i < 5; i++) limiter.logger.info('Same');
  limiter.flush();
  limiter.flush();
  assert.deepEqual(lines.slice(2), ['INFO  Held back repeated lines line=Same suppressed=3']);
});

test('the number of messages that are counted is bounded', () => {
  const { lines, logger } = setup(2);
  for (let i = 0; i < 3; i++) logger.info('A');
  logger.info('B');
  logger.info('C');
  assert.deepEqual(lines, [
    'INFO  A',
    'INFO  A',
    'INFO  B',
    'INFO  Held back repeated lines line=A suppressed=1',
    'INFO  C',
  ]);
});
