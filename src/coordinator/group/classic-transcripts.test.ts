import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ClassicScript } from './classic-script.test.ts';

const FOLDER = join(import.meta.dirname, '../../../testdata/groups');
/** Writes what comes into the files, to be read by a person. */
const REWRITE = process.env['ODRADEK_REWRITE'] === '1';

/** Plays a file: `set name value` lines at the head are settings; a line without indent is a command, indented ones are what came of it. */
function play(text: string): string {
  const settings: Record<string, number> = {};
  let script: ClassicScript | null = null;
  const out: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('  ')) continue;
    out.push(line);
    const [word, name = '', value = ''] = line.split(/\s+/);
    if (word === 'set') settings[name] = Number(value);
    else if (line !== '' && !line.startsWith('#')) {
      script ??= new ClassicScript(settings);
      out.push(...script.run(line));
    }
  }
  return out.join('\n');
}

for (const name of readdirSync(FOLDER)
  .filter((file) => file.endsWith('.txt'))
  .sort()) {
  test(`the transcript ${name} is what a shard of groups does`, () => {
    const path = join(FOLDER, name);
    const text = readFileSync(path, 'utf8');
    const played = play(text);
    if (REWRITE) writeFileSync(path, played);
    assert.equal(played, text);
  });
}
