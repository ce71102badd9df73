import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasVersion, MAX_VERSION, parseVersions } from './versions.ts';

test('the four notations of a range are understood', () => {
  assert.deepEqual(parseVersions('2+'), { low: 2, high: MAX_VERSION });
  assert.deepEqual(parseVersions('0-13'), { low: 0, high: 13 });
  assert.deepEqual(parseVersions('4'), { low: 4, high: 4 });
  const none = parseVersions('none');
  assert.ok(none.low > none.high);
});

test('both ends of a range belong to it', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5].filter((version) => hasVersion('2-4', version)),
    [2, 3, 4],
  );
  assert.deepEqual(
    [1, 2, 3].filter((version) => hasVersion('2+', version)),
    [2, 3],
  );
  assert.deepEqual(
    [0, 1, 2].filter((version) => hasVersion('none', version)),
    [],
  );
});

test('anything else is a mistake in a schema', () => {
  for (const text of ['', '+', '2-', '-3', 'all', '1+2'])
    assert.throws(() => parseVersions(text), /not a range/);
});
