import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { BrokerError } from '../base/broker-error.ts';
import { decodePropertiesFile, formatProperties, parseProperties } from './properties.ts';

/** What java.util.Properties makes of each text; null where it throws. */
interface Golden {
  readonly text: string;
  readonly entries: Record<string, string> | null;
}

const golden = JSON.parse(
  readFileSync(new URL('../../testdata/config/properties.json', import.meta.url), 'utf8'),
) as Golden[];

function asObject(text: string): Record<string, string> {
  return Object.fromEntries(parseProperties(text, 'test').map(({ key, value }) => [key, value]));
}

test('every text reads as Java reads it', () => {
  assert.ok(golden.length > 30);
  for (const { text, entries } of golden) {
    if (entries === null) assert.throws(() => asObject(text), BrokerError, text);
    else assert.deepEqual(asObject(text), entries, JSON.stringify(text));
  }
});

test('entries keep the number of the line they begin on, and repeated keys all come', () => {
  assert.deepEqual(parseProperties('# c\na=1\n\nb=2,\\\n  3\na=4', 'f'), [
    { key: 'a', value: '1', line: 2 },
    { key: 'b', value: '2,3', line: 4 },
    { key: 'a', value: '4', line: 6 },
  ]);
});

test('a malformed escape names the file and the line', () => {
  assert.throws(() => parseProperties('a=b\nc=\\u12', 'server.properties'), {
    code: 'CONFIG_INVALID',
    message: 'server.properties, line 2: \\u must be followed by four hexadecimal digits',
  });
});

test('a text that ends in a lone backslash ends there', () => {
  assert.deepEqual(asObject('a=b\n\\'), { a: 'b' });
  assert.deepEqual(asObject('\\\n'), {});
});

test('what is written reads back the same, whatever the keys and values hold', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  const blanks = fc.stringMatching(/^[ \t\f\n\r=:#!\\a]{0,8}$/);
  const entry = fc.tuple(fc.oneof(text, blanks), fc.oneof(text, blanks));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      const read = parseProperties(formatProperties(entries), 'test');
      assert.deepEqual(
        read.map(({ key, value }) => [key, value]),
        entries,
      );
    }),
  );
});

test('a file is UTF-8, or Latin-1 when it cannot be', () => {
  assert.equal(decodePropertiesFile(Buffer.from('a=é😀')), 'a=é😀');
  assert.equal(decodePropertiesFile(Buffer.from('a=é', 'latin1')), 'a=é');
});
