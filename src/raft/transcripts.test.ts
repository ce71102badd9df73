import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runTranscript } from './transcript-runner.test.ts';

const FOLDER = new URL('../../testdata/raft/', import.meta.url);

for (const file of readdirSync(FOLDER)) {
  test(`the machine answers as in testdata/raft/${file} (npm run raft-transcripts rewrites it)`, () => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    assert.equal(runTranscript(text), text);
  });
}
