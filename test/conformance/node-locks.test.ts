import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { loadAddon } from '../../src/io/node/addon/loader.ts';
import { createPorts } from '../../src/io/node/ports.ts';

const IMPLEMENTATIONS = ['addon', 'portable'] as const;
const noAddon = loadAddon().reason;
const hasPython = spawnSync('python3', ['-c', 'import fcntl']).status === 0;
const PYTHON = `
import fcntl, sys
lock = open(sys.argv[1], 'r+')
fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
print('held', flush=True)
sys.stdin.read()
`;

for (const holder of IMPLEMENTATIONS) {
  for (const taker of IMPLEMENTATIONS) {
    const skip =
      noAddon !== null && (holder === 'addon' || taker === 'addon') ? `no addon: ${noAddon}` : false;
    test(
      `a lock held by a process (${holder}) is refused to another (${taker}), who is told by whom`,
      { skip },
      (context) =>
        inDirectory(context, async (path) => {
          const script = join(import.meta.dirname, 'hold-lock.ts');
          const child = await holding(context, spawn(process.execPath, [script, holder, path]));
          const { disk } = createPorts({ prefer: taker });
          assert.throws(() => disk.lock(path), refusalNaming(child));
          assert.throws(() => disk.lock(path), refusalNaming(child), 'asking did not free it');
          child.kill('SIGKILL');
          await once(child, 'exit');
          disk.lock(path).release();
          assert.equal(fs.statSync(path).size, 0, 'the file stays empty');
          assert.deepEqual(fs.readdirSync(join(path, '..')), ['.lock'], 'nothing is left beside it');
        }),
    );
  }
}

for (const taker of IMPLEMENTATIONS) {
  const skip = !hasPython
    ? 'needs python3'
    : taker === 'addon' && noAddon !== null
      ? `no addon: ${noAddon}`
      : false;
  test(
    `the record lock that Apache Kafka takes excludes ours (${taker}), and ours excludes it`,
    { skip },
    (context) =>
      inDirectory(context, async (path) => {
        fs.writeFileSync(path, '');
        const child = await holding(context, spawn('python3', ['-c', PYTHON, path]));
        const { disk } = createPorts({ prefer: taker });
        assert.throws(() => disk.lock(path), refusalNaming(child));
        child.stdin?.end();
        await once(child, 'exit');
        const lock = disk.lock(path);
        assert.throws(() => disk.lock(path), {
          code: 'ELOCKED',
          message: new RegExp(`this process, ${process.pid}`),
        });
        const second = spawnSync('python3', ['-c', PYTHON, path], { encoding: 'utf8', input: '' });
        assert.notEqual(second.status, 0);
        assert.match(second.stderr, /BlockingIOError|Resource temporarily unavailable/);
        lock.release();
        assert.equal(spawnSync('python3', ['-c', PYTHON, path], { input: '' }).status, 0);
      }),
  );
}

/** What is used of a test's context. */
interface Context {
  after(callback: () => void): void;
}

function refusalNaming(child: ChildProcess): (error: Error & { code?: string }) => boolean {
  return (error) => {
    assert.equal(error.code, 'ELOCKED');
    if (process.platform === 'linux') assert.match(error.message, new RegExp(`process ${child.pid}\\b`));
    return true;
  };
}

/** Waits until a child says that it holds the lock. */
async function holding(context: Context, child: ChildProcess): Promise<ChildProcess> {
  context.after(() => void child.kill('SIGKILL'));
  child.stderr?.pipe(process.stderr);
  assert.ok(child.stdout !== null);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.match(String(said), /^held/);
  return child;
}

async function inDirectory(context: Context, body: (path: string) => Promise<void>): Promise<void> {
  const directory = fs.mkdtempSync(join(tmpdir(), 'odradek-lock-'));
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  await body(join(directory, '.lock'));
}
