// Runs the benchmarks and prints a table for each: `npm run bench`, or `npm run bench -- fetch ingest` for some of them. With `--write`
// the tables also go into docs/performance.md, in the place of those of the same name. `--profile` shows where the brokers spent their time.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const folder = flags.includes('--profile') ? mkdtempSync(join(tmpdir(), 'odradek-profile-')) : null;
if (folder !== null) process.env.ODRADEK_BENCH_PROFILE = folder;

const { BENCHES } = await import('./benches.ts');
const { environmentLine, formatTable, writeTables } = await import('./report.ts');

const unknown = [
  ...names.filter((name) => !BENCHES.some((bench) => bench.name === name)),
  ...flags.filter((flag) => flag !== '--write' && flag !== '--profile'),
];
if (unknown.length > 0) {
  const known = BENCHES.map((bench) => bench.name).join(', ');
  console.error(
    `there is no ${unknown.join(', ')}; there are the benchmarks ${known}, and --write, --profile`,
  );
  process.exit(2);
}

console.log(`${environmentLine()}\n`);
const tables = [];
for (const bench of BENCHES) {
  if (names.length > 0 && !names.includes(bench.name)) continue;
  const rows = await bench.run();
  console.log(`${bench.name}: ${bench.title}\n\n${formatTable(rows)}\n`);
  tables.push({ bench, rows });
}
if (folder !== null) {
  const { topFunctions, topSymbols } = await import('./profiling.ts');
  console.log(topFunctions(folder, 40).join('\n'));
  console.log((await topSymbols(folder, 45)).join('\n'));
  rmSync(folder, { recursive: true, force: true });
}
if (flags.includes('--write')) writeTables(tables);
