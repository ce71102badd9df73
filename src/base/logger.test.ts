import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BrokerError } from './broker-error.ts';
import { createLogger, MAX_FIELD_LENGTH, MAX_FIELDS, nullLogger, type LoggerOptions } from './logger.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const logger = createLogger({
    sink: (line) => lines.push(line),
    wallMs: () => AT,
    format: 'human',
    ...options,
  });
  return { lines, logger };
}

test('a human line has time, level, message and key=value, quoting what is not one word', () => {
  const { lines, logger } = capture();
  logger.info('Listening', {
    address: '127.0.0.1:9092',
    count: 3,
    none: null,
    text: 'two words',
    quote: 'a"b',
    left: undefined,
  });
  logger.warn('Careful');
  assert.deepEqual(lines, [
    '2026-01-02T03:04:05.678Z INFO  Listening address=127.0.0.1:9092 count=3 none=null text="two words" quote="a\\"b"',
    '2026-01-02T03:04:05.678Z WARN  Careful',
  ]);
});

test('a JSON line keeps numbers and booleans and its own names', () => {
  const { lines, logger } = capture({ format: 'json' });
  logger.error('Failed', {
    level: 'mine',
    count: 3,
    ok: false,
    big: 12345678901234567890n,
    list: [1, { a: 2n }],
    nan: Number.NaN,
  });
  assert.deepEqual(JSON.parse(lines[0] ?? ''), {
    time: '2026-01-02T03:04:05.678Z',
    level: 'error',
    message: 'Failed',
    level_: 'mine',
    count: 3,
    ok: false,
    big: '12345678901234567890',
    list: '[1,{"a":"2"}]',
    nan: 'NaN',
  });
});

test('lines below the level are dropped and a null logger says nothing', () => {
  const { lines, logger } = capture({ level: 'warn' });
  logger.debug('a');
  logger.info('b');
  logger.warn('c');
  logger.child({ x: 1 }).info('d');
  nullLogger.child({ x: 1 }).error('e');
  assert.equal(lines.length, 1);
});

test('a child adds its fields and a field of the line wins', () => {
  const { lines, logger } = capture();
  logger.child({ topic: 't', partition: 0 }).child({ partition: 1 }).info('Rolled', { topic: 'u' });
  assert.deepEqual(lines, ['2026-01-02T03:04:05.678Z INFO  Rolled topic=u partition=1']);
});

test('what a client sends cannot break the line, drive the terminal or hide itself', () => {
  const { lines, logger } = capture();
  const hostile = 'a\nINFO fake\r\x1b[2J\u0085\u2028\u202e\u200b\ud800 é 😀 \t';
  logger.info('Client\nsaid', { hostile });
  assert.deepEqual(lines, [
    '2026-01-02T03:04:05.678Z INFO  Client\\nsaid hostile="a\\nINFO fake\\r\\u001b[2J\\u0085\\u2028\\u202e\\u200b\\ud800 é 😀 \\t"',
  ]);
});

test('every text gives one line of bounded length in both forms', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 3000 }),
      fc.string({ unit: 'binary' }),
      (value, name) => {
        for (const format of ['human', 'json'] as const) {
          const { lines, logger } = capture({ format });
          logger.info(value, { [name]: value });
          const line = lines[0] ?? '';
          assert.equal(lines.length, 1);
          assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}]/u);
          assert.ok(line.length < 20_000);
          if (format === 'json') JSON.parse(line);
        }
      },
    ),
  );
});

test('a long value is cut and tells how much is missing, and fields are bounded in number', () => {
  const { lines, logger } = capture();
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, i]));
  logger.info('Long', { value: 'x'.repeat(MAX_FIELD_LENGTH + 7) });
  logger.info('Many', many);
  assert.ok(lines[0]?.endsWith(`x…(+7)`));
  assert.equal(lines[1]?.split(' f').length, MAX_FIELDS + 1);
});

test('an operating error is told by its message and causes, a bug with its stack', () => {
  const { lines, logger } = capture({ format: 'json' });
  const cause = Object.assign(new Error('open /x: EACCES'), { code: 'EACCES' });
  logger.error('Failed', { error: new BrokerError('DIRECTORY', 'Cannot write', { cause }) });
  logger.error('Bug', { error: new TypeError('x is undefined') });
  const [operating, bug] = lines.map((line) => JSON.parse(line) as Record<string, string>);
  assert.equal(operating?.['error'], 'Cannot write (because open /x: EACCES)');
  assert.equal(operating?.['errorStack'], undefined);
  assert.equal(bug?.['error'], 'TypeError: x is undefined');
  assert.match(bug?.['errorStack'] ?? '', /^at .*logger\.test\.ts/);
});

test('a cause that the message repeats is told once', () => {
  const { lines, logger } = capture();
  const cause = Object.assign(new Error('open /x: EACCES'), { code: 'EACCES' });
  logger.warn('Failed', { error: new BrokerError('D', 'Cannot use /x: open /x: EACCES', { cause }) });
  assert.ok(lines[0]?.endsWith('error="Cannot use /x: open /x: EACCES"'));
});

test('values that cannot be written as JSON, buffers and far clocks do not throw', () => {
  const { lines, logger } = capture({ wallMs: () => 9e15 });
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  logger.info('Odd', { cycle, buffer: Buffer.alloc(5), symbol: Symbol('s'), fn: undefined });
  assert.deepEqual(lines, [
    '9000000000000000 INFO  Odd cycle=[unprintable] buffer="5 bytes" symbol=Symbol(s)',
  ]);
});

test('colours stand around words only and only when asked for', () => {
  const { lines, logger } = capture({ colour: true });
  logger.error('No', { a: 1 });
  assert.equal(lines[0], '\x1b[2m2026-01-02T03:04:05.678Z\x1b[0m \x1b[31mERROR\x1b[0m No \x1b[2ma=\x1b[0m1');
});
