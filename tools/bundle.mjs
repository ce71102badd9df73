// Bundles src/ into dist/ when a source file changed since the last bundle. dist/odradek.mjs is the command, dist/index.mjs the package's
// entry; the addon's binary is copied beside them.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { spawnSync } from 'node:child_process';

/** Packages that stay imports: they load native code of their own and come as the package's dependencies. */
const external = ['snappy', 'lz4-napi'];

/** The command: turns on V8's compile cache before the broker's code is loaded. */
const command = `#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
enableCompileCache?.();
await import('./main.mjs');
`;

/** Hash over everything that the bundle is made from. */
function sourceHash(root, addonPath) {
  const hash = createHash('sha256');
  const add = (path) => hash.update(path.slice(root.length)).update(readFileSync(path));
  for (const entry of readdirSync(join(root, 'src'), { recursive: true }).sort((a, b) => (a < b ? -1 : 1))) {
    const path = join(root, 'src', entry);
    if (path.endsWith('.ts') && !path.endsWith('.test.ts')) add(path);
  }
  for (const path of ['package.json', 'tools/bundle.mjs']) add(join(root, path));
  if (addonPath) add(addonPath);
  return hash.digest('hex');
}

/**
 * Writes dist/ unless it is up to date.
 * @param {{ root: string, force?: boolean, types?: boolean, addonPath?: string }} options
 */
export async function bundle({ root, force = false, types = false, addonPath }) {
  const dist = join(root, 'dist');
  const stamp = join(dist, '.stamp');
  const hash = sourceHash(root, addonPath);
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  const { build } = await import('esbuild');
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  await build({
    entryPoints: { main: join(root, 'src/cli/main.ts'), index: join(root, 'src/index.ts') },
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external,
    sourcemap: 'linked',
    sourcesContent: false,
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
    // Bundled CommonJS packages call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    define: {
      ODRADEK_VERSION: JSON.stringify(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version),
    },
  });
  writeFileSync(join(dist, 'odradek.mjs'), command, { mode: 0o755 });
  if (addonPath) copyFileSync(addonPath, join(dist, basename(addonPath)));
  if (types) writeTypes(root);
  writeFileSync(stamp, hash);
}

/** Writes the package's type declarations; a type error here is the business of "npm run check". */
function writeTypes(root) {
  const tsc = join(root, 'node_modules/.bin/tsc');
  if (!existsSync(tsc)) return;
  spawnSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.types.json')], { stdio: 'ignore', cwd: root });
}
