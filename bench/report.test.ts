import assert from 'node:assert/strict';
import test from 'node:test';
import { formatTable, markdownTable, withSection } from './report.ts';

const rows = [
  { what: 'a', measured: '1', beside: '2', ratio: '0.5×' },
  { what: 'b', measured: '10', beside: '', ratio: '', stall: '3 ms' },
];

test('a table shows the column of stalls only if some row has one', () => {
  assert.equal(markdownTable(rows.slice(0, 1)).split('\n')[2], '| a | 1 | 2 | 0.5× |');
  assert.equal(markdownTable(rows).split('\n')[3], '| b | 10 |  |  | 3 ms |');
  assert.match(formatTable(rows), /longest stall/);
});

test('a section replaces the one of its name and leaves the rest of the page alone', () => {
  const first = withSection(withSection('# Page\n\ntext\n', 'one', 'first'), 'two', 'second');
  assert.equal(
    first,
    '# Page\n\ntext\n\n<!-- bench one -->\nfirst\n<!-- /bench one -->\n\n<!-- bench two -->\nsecond\n<!-- /bench two -->\n',
  );
  const again = withSection(first, 'one', 'newer');
  assert.equal(again, first.replace('first', 'newer'));
});
