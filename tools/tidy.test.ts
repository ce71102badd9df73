// Holds the house rules of CONTRIBUTING.md against the sources; the table itself is tools/tidy/rooms.ts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  determinismViolations,
  importCycles,
  importPathViolations,
  roomViolations,
  sizeViolations,
  undocumentedExports,
} from './tidy/rules.ts';
import { list, ROOT, readSource, readSources } from './tidy/source.ts';

const sources = readSources();

test('the tree has sources to look at', () => {
  assert.ok(sources.length > 20, `only ${sources.length} files were found`);
});

test('a room imports only what the table allows', () => {
  assert.deepEqual(roomViolations(sources), []);
});

test('every relative import names an existing file with its ending', () => {
  assert.deepEqual(importPathViolations(sources), []);
});

test('there is no import cycle', () => {
  assert.deepEqual(importCycles(sources), []);
});

test('nothing outside io/node touches clocks, randomness, timers or the system', () => {
  assert.deepEqual(determinismViolations(sources), []);
});

test('files and functions fit their limits', () => {
  const files = new Map<string, number>();
  for (const path of list(
    '{src,sim,bench,test,tools,examples}/**/*.{ts,mjs}',
    'native/**/*.{c,h}',
    'bench/**/*.c',
  )) {
    files.set(path, readFileSync(join(ROOT, path), 'utf8').split('\n').length - 1);
  }
  assert.deepEqual(sizeViolations(sources, files), []);
});

test('every export has a doc comment', () => {
  assert.deepEqual(undocumentedExports(sources), []);
});

test('the rules find what they are for', () => {
  const bad = (path: string, text: string) => [readSource(path, text)];
  assert.equal(roomViolations(bad('src/log/x.ts', "import { a } from '../broker/y.ts';")).length, 1);
  assert.equal(roomViolations(bad('src/raft/x.ts', "import { a } from '../io/node/clock.ts';")).length, 1);
  assert.equal(roomViolations(bad('src/log/x.ts', "import { a } from '../../sim/y.ts';")).length, 1);
  assert.equal(importPathViolations(bad('src/log/x.ts', "import { a } from './no-such-file.js';")).length, 1);
  assert.equal(determinismViolations(bad('src/log/x.ts', "import fs from 'node:fs';")).length, 1);
  assert.equal(determinismViolations(bad('src/log/x.ts', 'const t = Date.now();')).length, 1);
  assert.equal(determinismViolations(bad('src/log/x.ts', 'setTimeout(() => 1, 5);')).length, 1);
  assert.equal(determinismViolations(bad('src/log/x.ts', 'const d = new Date();')).length, 1);
  assert.equal(
    determinismViolations(bad('src/log/x.ts', 'clock.setTimeout(5); const o = { process: 1 };')).length,
    0,
  );
  assert.equal(
    determinismViolations(bad('src/controller/x.ts', 'async function f() { await 1; }')).length,
    2,
  );
  assert.equal(
    sizeViolations(bad('src/log/x.ts', `function long() {\n${'1;\n'.repeat(70)}}`), new Map()).length,
    1,
  );
  const subtest = (lines: number) =>
    `test('a', async (t) => { await t.test('b', () => {\n${'1;\n'.repeat(lines)}}); });`;
  assert.equal(sizeViolations(bad('src/log/x.test.ts', subtest(50) + subtest(50)), new Map()).length, 0);
  assert.equal(sizeViolations(bad('src/log/x.test.ts', subtest(71)), new Map()).length, 1);
  assert.equal(sizeViolations([], new Map([['src/log/x.ts', 601]])).length, 1);
  assert.equal(undocumentedExports(bad('src/log/x.ts', 'export const a = 1;')).length, 1);
  assert.equal(
    undocumentedExports(bad('src/log/x.ts', '/** Is one. */\nexport const a = 1;\nexport type a = 1;'))
      .length,
    0,
  );
  const cycle = [
    readSource('src/log/a.ts', "import './b.ts';"),
    readSource('src/log/b.ts', "import './a.ts';"),
  ];
  assert.equal(importCycles(cycle).length, 1);
});
