// Compiles native/ with the machine's C compiler, offline, when its sources changed. Plain JavaScript for Node 18 and newer: it runs
// before anything else does. Where there is no compiler the portable implementation serves, so nothing here fails hard.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const compilers = ['cc', 'gcc', 'clang'];
// The node binary brings libc and libuv along, so nothing is linked but the compiler's own helpers: one binary for every version of both.
const flags = [
  '-std=c11',
  '-O2',
  '-g1',
  '-D_GNU_SOURCE',
  '-D_FILE_OFFSET_BITS=64',
  '-Wall',
  '-Wextra',
  '-fPIC',
  '-fvisibility=hidden',
];
const linking = ['-shared', '-nodefaultlibs', '-lgcc', '-pthread'];

function sourcesOf(root) {
  const folder = join(root, 'native');
  const names = readdirSync(folder).filter((name) => /\.[ch]$/.test(name));
  return names.sort().map((name) => join(folder, name));
}

function hashOf(files) {
  const hash = createHash('sha256').update([...flags, ...linking].join(' '));
  for (const file of files) hash.update(file.slice(file.lastIndexOf('/'))).update(readFileSync(file));
  return hash.digest('hex');
}

/** Tries the compilers until one succeeds; returns null, or what the last one said. */
function compile(headers, sources, output) {
  let problem = `none of ${compilers.join(', ')} was found`;
  for (const compiler of process.env.CC ? [process.env.CC] : compilers) {
    const args = [...flags, '-I', headers, ...sources, '-o', output, ...linking];
    const run = spawnSync(compiler, args, { encoding: 'utf8', timeout: 120_000 });
    if (run.status === 0) return null;
    if (run.error?.code !== 'ENOENT')
      problem = `${compiler} failed:\n${run.stderr || run.error?.message || ''}`;
  }
  return problem;
}

/**
 * Builds the addon into `<root>/.build/` unless a binary of the same sources is there.
 * @param {{ root: string, log?: (line: string) => void }} options
 * @returns {Promise<{ path: string, reason?: undefined } | { reason: string, path?: undefined }>} the binary, or why there is none
 */
export async function buildAddon({ root, log = () => {} }) {
  if (process.platform !== 'linux') return { reason: `the addon is for Linux, this is ${process.platform}` };
  const headers = join(root, 'node_modules/node-api-headers/include');
  const folder = join(root, '.build');
  const path = join(folder, `odradek-${process.platform}-${process.arch}.node`);
  const stamp = `${path}.sha256`;
  try {
    const sources = sourcesOf(root);
    const hash = hashOf(sources);
    if (existsSync(path) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return { path };
    if (!existsSync(headers)) return { reason: 'node-api-headers is not installed' };
    mkdirSync(folder, { recursive: true });
    // Under another name first: a process may have the old one mapped, and two builds may run at once.
    const fresh = `${path}.${process.pid}`;
    const problem = compile(
      headers,
      sources.filter((file) => file.endsWith('.c')),
      fresh,
    );
    if (problem !== null) {
      rmSync(fresh, { force: true });
      rmSync(stamp, { force: true });
      rmSync(path, { force: true });
      log(`the addon was not built, the portable implementation serves: ${problem}`);
      return { reason: problem };
    }
    renameSync(fresh, path);
    writeFileSync(stamp, hash);
    return { path };
  } catch (error) {
    return { reason: String(error?.message ?? error) };
  }
}
