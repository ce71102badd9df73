import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AddonFileOperations } from './file-operations.ts';
import { addonOrSkip, pattern, until } from './network-fixture.ts';

const { binding, skip } = addonOrSkip();

/** Operations and a directory of their own; both end with the test. */
function prepared(t: TestContext): { operations: AddonFileOperations; root: string } {
  assert.ok(binding);
  const operations = new AddonFileOperations(binding);
  const root = fs.mkdtempSync(join(tmpdir(), 'odradek-files-'));
  t.after(() => {
    operations.shutdown();
    fs.rmSync(root, { recursive: true });
  });
  return { operations, root };
}

/** Starts a write and resolves with its outcome; `inline` tells whether it was done before the call returned. */
function write(
  operations: AddonFileOperations,
  descriptor: number,
  parts: readonly Buffer[],
  position: number,
): Promise<{ code: string | null; writtenBytes: number; inline: boolean }> {
  let returned = false;
  const outcome = new Promise<{ code: string | null; writtenBytes: number; inline: boolean }>((done) => {
    operations.write(descriptor, parts, position, 0, (code, writtenBytes) =>
      done({ code, writtenBytes, inline: !returned }),
    );
  });
  returned = true;
  return outcome;
}

test('a small write is done inline, a large one in a thread, and both are in the file', {
  skip,
}, async (t) => {
  const { operations, root } = prepared(t);
  const descriptor = operations.open(`${root}/file`, 'create');
  const small = [pattern(10, 1), pattern(4000, 2)];
  const large = [pattern(1_500_000, 3), pattern(700_000, 4)];
  assert.deepEqual(await write(operations, descriptor, small, 0), {
    code: null,
    writtenBytes: 4010,
    inline: true,
  });
  const outcome = await write(operations, descriptor, large, 4010);
  assert.deepEqual(outcome, { code: null, writtenBytes: 2_200_000, inline: false });
  assert.ok(fs.readFileSync(`${root}/file`).equals(Buffer.concat([...small, ...large])));
  operations.close(descriptor);
});

test('errors have the names of the system, inline and from a thread', { skip }, async (t) => {
  const { operations, root } = prepared(t);
  const code = (call: () => unknown): string => {
    try {
      call();
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? '';
    }
    return 'none';
  };
  assert.equal(
    code(() => operations.open(`${root}/missing`, 'read')),
    'ENOENT',
  );
  assert.equal(
    code(() => operations.open(`${root}/${'x'.repeat(300)}`, 'create')),
    'ENAMETOOLONG',
  );
  assert.equal(
    code(() => operations.open(`${root}/${'x/'.repeat(3000)}`, 'create')),
    'ENAMETOOLONG',
  );
  const file = operations.open(`${root}/file`, 'create');
  assert.equal(
    code(() => operations.open(`${root}/file`, 'create')),
    'EEXIST',
  );
  operations.close(file);
  const reading = operations.open(`${root}/file`, 'read');
  assert.equal(
    code(() => operations.writeNow(reading, Buffer.from('x'), 0)),
    'EBADF',
  );
  assert.equal(
    code(() => operations.truncate(reading, 5)),
    'EINVAL',
  );
  assert.equal((await write(operations, reading, [Buffer.from('x')], 0)).code, 'EBADF');
  assert.equal((await write(operations, reading, [pattern(2_000_000)], 0)).code, 'EBADF');
  assert.equal(await new Promise((done) => operations.sync(9999, 0, done)), 'EBADF');
  operations.close(reading);
});

test('when writes become slow the lane goes to its thread, and other lanes do not', { skip }, async () => {
  assert.ok(binding);
  const real = binding;
  let slow = true;
  const late: string[] = [];
  const operations = new AddonFileOperations({
    ...real,
    fileWrite: (_, data) => {
      for (const until = performance.now() + (slow ? 5 : 0); performance.now() < until; );
      return data.length;
    },
    fileThreadsOpen: () => ({}) as ReturnType<typeof real.fileThreadsOpen>,
    fileThreadsClose: () => {},
    fileWriteLater: (_, lane) => {
      late.push(`lane ${lane}`);
      return 0;
    },
  });
  const ask = (lane: number): void => operations.write(0, [Buffer.from('x')], 0, lane, () => {});
  ask(0);
  slow = false;
  ask(0);
  assert.deepEqual(late, [], 'one slow write may be chance');
  slow = true;
  ask(0);
  slow = false;
  ask(1);
  assert.deepEqual(late, []);
  ask(0);
  ask(0);
  assert.deepEqual(late, ['lane 0', 'lane 0']);
});

test('syncs and writes of many files come back once each, those of one kind and lane in order', {
  skip,
}, async (t) => {
  const { operations, root } = prepared(t);
  const descriptors = Array.from({ length: 20 }, (_, i) => operations.open(`${root}/${i}`, 'create'));
  const order: number[] = [];
  const asked: number[] = [];
  for (let round = 0; round < 30; round++) {
    for (const [i, descriptor] of descriptors.entries()) {
      const id = round * 100 + i;
      asked.push(id);
      operations.sync(descriptor, 0, (code) => {
        assert.equal(code, null);
        order.push(id);
      });
    }
  }
  await until(() => order.length === asked.length, 'all syncs');
  assert.deepEqual(order, asked);
  for (const descriptor of descriptors) operations.close(descriptor);
});

test('paths may have any characters', { skip }, (t) => {
  const { operations, root } = prepared(t);
  const name = 'Öde Spule 🧵 "x"';
  operations.close(operations.open(`${root}/${name}`, 'create'));
  assert.deepEqual(fs.readdirSync(root), [name]);
  assert.throws(() => operations.open(`${root}/a\0b`, 'create'), TypeError);
});

test('a lock ends with the process that holds it, however that ends', { skip }, async (t) => {
  const { operations, root } = prepared(t);
  const path = `${root}/.lock`;
  const script = `
    import { loadAddon } from ${JSON.stringify(join(import.meta.dirname, 'loader.ts'))};
    import { AddonFileOperations } from ${JSON.stringify(join(import.meta.dirname, 'file-operations.ts'))};
    const lock = new AddonFileOperations(loadAddon().binding).lock(process.argv[1]);
    console.log(lock === null ? 'refused' : 'locked');
    if (lock !== null) setInterval(() => {}, 1000);`;
  const args = ['--input-type=module-typescript', '-e', script, path];
  const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  assert.equal(String((await once(holder.stdout, 'data'))[0]).trim(), 'locked');
  assert.equal(operations.lock(path), null);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const lock = operations.lock(path);
  assert.ok(lock !== null);
  // Other descriptors of the file come and go in this process without dropping it.
  fs.closeSync(fs.openSync(path, 'r'));
  assert.equal(spawnSync(process.execPath, args, { encoding: 'utf8' }).stdout.trim(), 'refused');
  lock.release();
});

test('the page cache is asked for what it holds, by either way', { skip }, (t) => {
  assert.ok(binding);
  const { operations, root } = prepared(t);
  const descriptor = operations.open(`${root}/file`, 'create');
  operations.writeNow(descriptor, pattern(3_000_000), 0);
  for (const probe of [false, true]) {
    assert.equal(
      binding.fileWarmth(descriptor, 0, 3_000_000, probe),
      1,
      'what was just written is in memory',
    );
    assert.equal(binding.fileWarmth(descriptor, 5, 0, probe), 1, 'nothing always is');
  }
  fs.fsyncSync(descriptor);
  spawnSync('dd', [`if=${root}/file`, 'iflag=nocache', 'count=0', 'status=none']);
  // An independent witness of what is in memory.
  const witness = spawnSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', `${root}/file`], {
    encoding: 'utf8',
  });
  if (witness.status === 0 && Number(witness.stdout) === 0) {
    assert.equal(binding.fileWarmth(descriptor, 0, 3_000_000, false), 0);
    assert.notEqual(binding.fileWarmth(descriptor, 0, 3_000_000, true), 1);
  } else {
    t.diagnostic('the page cache could not be emptied here, or nobody tells');
  }
  operations.close(descriptor);
});
