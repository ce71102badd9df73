import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { addonOrSkip } from './network-fixture.ts';

const { skip } = addonOrSkip();

type Built = { readonly path?: string; readonly reason?: string };
type BuildAddon = (options: { root: string; log: (line: string) => void }) => Promise<Built>;
/** Plain JavaScript, since it runs on a Node that knows no types. */
const BUILD_SCRIPT = join(import.meta.dirname, '../../../../tools/build-addon.mjs');
const { buildAddon } = (await import(BUILD_SCRIPT)) as { buildAddon: BuildAddon };

/** What a process loads with this value of `ODRADEK_ADDON`. */
function loadedWith(setting: string): { path: string | null; reason: string | null } {
  const script = `
    import { loadAddon } from ${JSON.stringify(join(import.meta.dirname, 'loader.ts'))};
    const { path, reason } = loadAddon();
    console.log(JSON.stringify({ path, reason }));`;
  const run = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, ODRADEK_ADDON: setting },
  });
  return JSON.parse(run.stdout) as { path: string | null; reason: string | null };
}

test('the addon can be switched off, and what cannot be loaded is told', () => {
  assert.deepEqual(loadedWith('off'), { path: null, reason: 'switched off by ODRADEK_ADDON=off' });
  assert.match(loadedWith('/nowhere/addon.node').reason ?? '', /^\/nowhere\/addon\.node cannot be loaded: /);
  assert.match(loadedWith(import.meta.filename).reason ?? '', /cannot be loaded: /);
});

test('the addon of the checkout is found', { skip }, () => {
  const { path, reason } = loadedWith('on');
  assert.equal(reason, null);
  assert.match(path ?? '', /odradek-\w+-\w+\.node$/);
});

/** A checkout with a tiny addon. */
function checkout(source: string): string {
  const root = fs.mkdtempSync(join(tmpdir(), 'odradek-build-'));
  fs.mkdirSync(join(root, 'native'));
  fs.symlinkSync(join(import.meta.dirname, '../../../../node_modules'), join(root, 'node_modules'));
  fs.writeFileSync(join(root, 'native/module.c'), source);
  return root;
}

/** Builds with another compiler in the environment. */
async function buildWith(root: string, compiler: string | undefined): Promise<Built & { log: string[] }> {
  const before = process.env['CC'];
  const log: string[] = [];
  if (compiler === undefined) delete process.env['CC'];
  else process.env['CC'] = compiler;
  const built = await buildAddon({ root, log: (line) => void log.push(line) });
  if (before === undefined) delete process.env['CC'];
  else process.env['CC'] = before;
  return { ...built, log };
}

test('a build happens once per state of the sources, and its failure is a reason', { skip }, async (t) => {
  const root = checkout('int answer(void) { return 42; }\n');
  t.after(() => fs.rmSync(root, { recursive: true }));
  const first = await buildWith(root, undefined);
  assert.ok(first.path !== undefined, first.reason ?? '');
  const built = fs.statSync(first.path).mtimeMs;
  const again = await buildWith(root, '/nowhere/cc');
  assert.equal(again.path, first.path, 'nothing is compiled again');
  assert.equal(fs.statSync(first.path).mtimeMs, built);
  fs.appendFileSync(join(root, 'native/module.c'), 'int broken(\n');
  const broken = await buildWith(root, undefined);
  assert.match(broken.reason ?? '', /failed:[^]*module\.c/);
  assert.equal(broken.log.length, 1, 'said once');
  assert.ok(!fs.existsSync(first.path), 'a binary of other sources is not left to be loaded');
  const none = await buildWith(root, '/nowhere/cc');
  assert.match(none.reason ?? '', /none of .* was found/);
});

test('without the headers there is a reason too', async (t) => {
  const root = checkout('');
  t.after(() => fs.rmSync(root, { recursive: true }));
  fs.rmSync(join(root, 'node_modules'));
  const { reason } = await buildWith(root, undefined);
  assert.ok(reason !== undefined);
});
