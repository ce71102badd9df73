import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runTranscript } from '../src/raft/transcript-runner.test.ts';

/** Writes into the transcripts of `testdata/raft/` what the machine answers now; the difference is to be read before it is committed. */
const FOLDER = new URL('../testdata/raft/', import.meta.url);

for (const file of readdirSync(FOLDER)) {
  const path = new URL(file, FOLDER);
  writeFileSync(path, runTranscript(readFileSync(path, 'utf8')));
}
