import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

test('docs/compatibility.md says what the broker advertises', () => {
  const run = spawnSync(
    process.execPath,
    [join(import.meta.dirname, 'generate-compatibility.ts'), '--check'],
    { encoding: 'utf8' },
  );
  assert.equal(run.status, 0, run.stdout + run.stderr);
});
