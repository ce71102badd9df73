import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationPage, PAGE } from './generate-config-docs.ts';

test('docs/configuration.md is what the tables say', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), configurationPage(), 'run node tools/generate-config-docs.ts');
});
