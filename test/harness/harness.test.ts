import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { BrokerProcess } from './broker-process.ts';
import { findTool } from './environment.ts';
import {
  differenceOfFiles,
  isNumberedValue,
  NUMBERED_RECORD_BYTES,
  numberedValue,
  writeNumberedFile,
} from './numbered-records.ts';
import { answers, apiVersionsRequest, frame, RawConnection } from './raw-connection.ts';
import { run } from './run.ts';
import { totalsOf } from './strace.ts';
import { freePort, temporaryDirectory } from './temporary.ts';

const NODE = process.execPath;

test('a numbered file holds the numbered values, one a line', (t) => {
  const directory = temporaryDirectory('harness');
  t.after(directory.remove);
  const path = join(directory.path, 'numbered');
  writeNumberedFile(path, 2_345);
  assert.equal(statSync(path).size, 2_345 * (NUMBERED_RECORD_BYTES + 1));
  const lines = readFileSync(path, 'latin1').split('\n');
  assert.equal(lines.pop(), '');
  for (const [number, line] of lines.entries()) {
    assert.ok(isNumberedValue(Buffer.from(line), number), `record ${number}`);
    assert.ok(line.startsWith(String(number).padStart(12, '0')));
  }
  assert.ok(!isNumberedValue(numberedValue(7), 8));
});

test('two files that differ in one byte, in length or in order are told apart by record number', (t) => {
  const directory = temporaryDirectory('harness');
  t.after(directory.remove);
  const expected = join(directory.path, 'expected');
  const actual = join(directory.path, 'actual');
  writeNumberedFile(expected, 3_000);
  writeNumberedFile(actual, 3_000);
  assert.equal(differenceOfFiles(expected, actual), null);

  truncateSync(actual, 2_999 * (NUMBERED_RECORD_BYTES + 1));
  assert.match(differenceOfFiles(expected, actual) ?? '', /shorter .*record 2999/);

  appendFileSync(actual, `${numberedValue(2_998).toString()}\n`);
  assert.match(differenceOfFiles(expected, actual) ?? '', /record 2999/);

  const bytes = readFileSync(expected);
  bytes[1_500 * (NUMBERED_RECORD_BYTES + 1) + 100] = 0x21;
  writeFileSync(actual, bytes);
  assert.match(differenceOfFiles(expected, actual) ?? '', /record 1500/);
});

test('a tool that fails, hangs or is missing is an error that shows its output', async () => {
  const ok = await run(NODE, ['-e', 'process.stdin.pipe(process.stdout)'], {
    timeoutMs: 10_000,
    input: 'thread',
  });
  assert.equal(ok.stdout, 'thread');
  await assert.rejects(
    run(NODE, ['-e', 'console.error("broken spool"); process.exit(3)'], { timeoutMs: 10_000 }),
    /code 3[^]*broken spool/,
  );
  await assert.rejects(
    run(NODE, ['-e', 'setInterval(() => 0, 1000)'], { timeoutMs: 200 }),
    /was killed after 200 ms/,
  );
  await assert.rejects(run('/nowhere/tool', [], { timeoutMs: 1_000 }), /ENOENT/);
  assert.equal(findTool('no-such-tool-anywhere'), null);
});

test('bytes seen by strace are added up by call, failed and interrupted ones apart', () => {
  const totals = totalsOf(
    [
      '101 sendfile(20, 21, [0], 1000) = 600',
      '101 sendfile(20, 21, [600], 400) = -1 EAGAIN (Resource temporarily unavailable)',
      '102 writev(20,  <unfinished ...>',
      '101 sendfile(20, 21, [600], 400 <unfinished ...>',
      '102 <... writev resumed>[{iov_base=""..., iov_len=64}], 1) = 64',
      '101 <... sendfile resumed>[1000]) = 400',
      '+++ exited with 0 +++',
    ].join('\n'),
  );
  assert.deepEqual(totals.get('sendfile'), { calls: 2, bytes: 1_000, failed: 1 });
  assert.deepEqual(totals.get('writev'), { calls: 1, bytes: 64, failed: 0 });
});

test('a raw connection splits what it receives into frames and notices the end', async (t) => {
  const server = createServer((socket) => {
    socket.once('data', () => {
      const both = Buffer.concat([frame(Buffer.from('first')), frame(Buffer.from('second'))]);
      socket.write(both.subarray(0, 6));
      setTimeout(() => {
        socket.end(both.subarray(6));
      }, 20);
    });
  });
  t.after(() => server.close());
  const port = await freePort();
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const connection = await RawConnection.open(port);
  connection.writeFrame(apiVersionsRequest(1));
  assert.equal((await connection.readFrame(2_000)).toString(), 'first');
  assert.equal((await connection.readFrame(2_000)).toString(), 'second');
  await assert.rejects(connection.readFrame(2_000), /connection ended/);
  assert.ok(await connection.waitClosed(2_000));
});

/** A stand-in for a broker: answers ApiVersions as soon as it listens, says goodbye on SIGTERM. */
const FAKE_BROKER = `
  const server = require('node:net').createServer((socket) => {
    socket.on('error', () => 0);
    socket.on('data', (request) => {
      const answer = Buffer.alloc(14);
      answer.writeInt32BE(10, 0);
      request.copy(answer, 4, 8, 12);
      socket.write(answer);
    });
  });
  server.listen(Number(process.argv[1]), '127.0.0.1', () => console.log('listening'));
  process.on('SIGTERM', () => { console.log('goodbye'); process.exit(0); });
`;

test('a broker process is started, stopped, killed and started again on its port', async (t) => {
  const port = await freePort();
  const broker = new BrokerProcess({
    name: 'fake',
    command: NODE,
    args: ['-e', FAKE_BROKER, String(port)],
    port,
    startTimeoutMs: 10_000,
  });
  t.after(() => broker.dispose());
  assert.equal(await answers(port), false);
  await broker.start();
  assert.ok(broker.running);
  assert.deepEqual(await broker.stop(), { code: 0, signal: null });
  assert.deepEqual([...broker.lines], ['listening', 'goodbye']);
  await broker.start();
  await broker.kill();
  assert.ok(!broker.running);
  assert.equal(await answers(port), false);
});

test('a broker that ends at start is an error with what it said', async () => {
  const broker = new BrokerProcess({
    name: 'fake',
    command: NODE,
    args: ['-e', 'console.log("no room"); process.exit(5)'],
    port: await freePort(),
    startTimeoutMs: 10_000,
  });
  await assert.rejects(broker.start(), /ended at start with code 5[^]*no room/);
});
