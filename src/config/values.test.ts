import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ConfigType, doubleText, Password, parseValue } from './values.ts';

function text(type: ConfigType, input: string): string | null | undefined {
  return parseValue(type, input)?.text;
}

test('whole numbers keep to the range of their type and lose signs, zeros and blanks', () => {
  assert.deepEqual(parseValue('INT', ' +007 '), { value: 7, text: '7' });
  assert.equal(text('INT', '2147483647'), '2147483647');
  assert.equal(text('INT', '2147483648'), undefined);
  assert.equal(text('INT', '-2147483648'), '-2147483648');
  assert.equal(text('SHORT', '32768'), undefined);
  for (const bad of ['', '1.0', '1e3', '0x10', 'abc', '1 2', '٣', '9'.repeat(100)]) {
    assert.equal(parseValue('LONG', bad), null, bad);
  }
});

test('a LONG past 2^53 keeps its digits in the text', () => {
  assert.deepEqual(parseValue('LONG', '9223372036854775807'), {
    value: 2 ** 63,
    text: '9223372036854775807',
  });
  assert.equal(text('LONG', '9007199254740993'), '9007199254740993');
  assert.equal(text('LONG', '-9223372036854775808'), '-9223372036854775808');
  assert.equal(text('LONG', '9223372036854775808'), undefined);
});

test('every LONG comes back as the text it was given as', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      (n) => text('LONG', `${n}`) === `${n}`,
    ),
  );
});

test('booleans take any case and nothing else', () => {
  assert.deepEqual(parseValue('BOOLEAN', ' TRUE '), { value: true, text: 'true' });
  assert.deepEqual(parseValue('BOOLEAN', 'False'), { value: false, text: 'false' });
  for (const bad of ['yes', '1', '']) assert.equal(parseValue('BOOLEAN', bad), null);
});

test('doubles are written as Java writes them', () => {
  const cases: [number, string][] = [
    [0.5, '0.5'],
    [1, '1.0'],
    [0, '0.0'],
    [-0, '-0.0'],
    [0.05, '0.05'],
    [0.001, '0.001'],
    [0.00099, '9.9E-4'],
    [9999999, '9999999.0'],
    [1e7, '1.0E7'],
    [2147483647, '2.147483647E9'],
    [Number.MAX_VALUE, '1.7976931348623157E308'],
    [-1.5e-10, '-1.5E-10'],
  ];
  for (const [value, expected] of cases) assert.equal(doubleText(value), expected);
  assert.equal(text('DOUBLE', '.5'), '0.5');
  assert.equal(text('DOUBLE', '5.'), '5.0');
  assert.equal(text('DOUBLE', '1e400'), undefined);
  for (const bad of ['', 'NaN', 'Infinity', '1,5', '0x1p3']) assert.equal(parseValue('DOUBLE', bad), null);
});

test('lists are split at commas, without blanks, and never have an empty or a repeated element', () => {
  assert.deepEqual(parseValue('LIST', ' a , b,A '), { value: ['a', 'b', 'A'], text: 'a,b,A' });
  assert.deepEqual(parseValue('LIST', '  '), { value: [], text: '' });
  for (const bad of ['a,', ',', 'a,,b', 'a,b, a']) assert.equal(parseValue('LIST', bad), null);
});

test('a password shows nowhere but where it is asked for', () => {
  const typed = parseValue('PASSWORD', 'secret');
  assert.ok(typed?.value instanceof Password);
  assert.equal(typed.value.reveal(), 'secret');
  assert.equal(typed.text, '[hidden]');
  const shown = `${String(typed.value)} ${JSON.stringify({ typed })} ${Object.keys(typed.value).join()}`;
  assert.doesNotMatch(shown, /secret/);
});
