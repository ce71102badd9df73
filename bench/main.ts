// Runs the benchmarks and prints one table: `npm run bench`, or `npm run bench -- echo` for the rows of one file.
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { printTable, ROOT, type Row } from './harness.ts';
import { echoRows } from './rows/echo.ts';
import { startRows } from './rows/start.ts';

const ALL: Readonly<Record<string, () => Promise<Row[]>>> = { start: startRows, echo: echoRows };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in ALL));
if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(', ')}; there are: ${Object.keys(ALL).join(', ')}`);
  process.exit(2);
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
console.log(
  `commit ${commit} · Node ${process.versions.node} · ${cpus().length} × ${cpus()[0]?.model.trim()}\n`,
);
const rows: Row[] = [];
for (const [name, run] of Object.entries(ALL))
  if (wanted.length === 0 || wanted.includes(name)) rows.push(...(await run()));
printTable(rows);
