// The bytes of a fetch go from the page cache to the socket by sendfile(2); strace sees them.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RECORD_COUNT, toolOrSkip } from '../harness/environment.ts';
import { produceWithOwnClient, readWithOwnClient } from '../harness/numbered-clients.ts';
import { NUMBERED_RECORD_BYTES } from '../harness/numbered-records.ts';
import { SystemCallTrace } from '../harness/strace.ts';
import { startTarget } from '../harness/target.ts';

const CALLS = [
  'sendfile',
  'write',
  'writev',
  'sendto',
  'sendmsg',
  'pread64',
  'preadv',
  'preadv2',
  'read',
  'splice',
];

test('a reader gets its bytes by sendfile, and none of them pass through the broker', async (t) => {
  const strace = toolOrSkip(t, 'strace');
  if (strace === null) return;
  const target = await startTarget(t);
  const topic = {
    bootstrap: target.process.bootstrap,
    topic: 'spool',
    count: RECORD_COUNT,
    file: '',
    workDirectory: target.workDirectory,
  };
  await produceWithOwnClient(topic);
  const directory = join(target.dataDirectory, 'spool-0');
  const logBytes = readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  assert.ok(logBytes > RECORD_COUNT * NUMBERED_RECORD_BYTES);

  const file = join(target.workDirectory, 'trace');
  const trace = await SystemCallTrace.attach(strace, target.process.pid, CALLS, file);
  const difference = await readWithOwnClient(topic);
  const totals = await trace.finish();
  assert.equal(difference, null);

  const bytesOf = (...names: string[]) =>
    names.reduce((sum, name) => sum + (totals.get(name)?.bytes ?? 0), 0);
  const table = [...totals].map(([name, { calls, bytes }]) => `${name}: ${calls} calls, ${bytes} bytes`);
  t.diagnostic(`the log has ${logBytes} bytes; ${table.join('; ')}`);
  assert.ok(bytesOf('sendfile') >= logBytes * 0.99, `sendfile carried ${bytesOf('sendfile')} of ${logBytes}`);
  assert.ok(bytesOf('sendfile') <= logBytes * 1.1, 'nothing is sent twice');
  const copied = bytesOf('write', 'writev', 'sendto', 'sendmsg');
  assert.ok(copied < logBytes * 0.01 + 65_536, `${copied} bytes were written, not sent from the file`);
  const read = bytesOf('read', 'pread64', 'preadv', 'preadv2');
  assert.ok(read < logBytes * 0.03 + 262_144, `${read} bytes were read into the broker`);
});
