// Runs the test files with Node's own runner: everything but test/interop by default, test/interop with --interop. Further arguments
// pick files whose path contains one of them.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);
const interop = args.includes('--interop');
const filters = args.filter((arg) => !arg.startsWith('--'));

const files = globSync(
  ['src/**/*.test.ts', 'sim/**/*.test.ts', 'tools/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts'],
  { cwd: root },
)
  .filter((file) => file.startsWith(join('test', 'interop')) === interop)
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
  .sort();

if (files.length === 0) {
  console.error(`no test file matches ${filters.join(' ') || 'at all'}: nothing was tested`);
  process.exit(1);
}

const child = spawn(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${interop ? 1 : 2}`,
    `--test-timeout=${interop ? 1_800_000 : 240_000}`,
    '--test-reporter=spec',
    ...files.map((file) => relative(root, join(root, file))),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compile'), ...process.env },
  },
);
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
