// Runs before npm scripts, on whatever Node npm found: checks that Node, builds the addon if its source changed and, with
// --bundle, the bundled output. Plain JavaScript without dependencies at the top, so that it can also speak on an old Node.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `odradek needs Node 22.18 or newer to run; this is ${process.version} (${process.execPath}).\n` +
      'On Linux x64, "npm ci" in this checkout brings Node 24 along and the npm scripts use it. ' +
      'Elsewhere, install Node 22.18 or newer and try again.',
  );
  process.exit(1);
}
if (!existsSync(join(root, 'node_modules'))) {
  console.error('node_modules is missing: run "npm ci" in this checkout first.');
  process.exit(1);
}

const { buildAddon } = await import('./build-addon.mjs');
const addon = await buildAddon({ root, log: (line) => console.error(line) });
if (process.argv.includes('--bundle')) {
  const { bundle } = await import('./bundle.mjs');
  const release = process.argv.includes('--release');
  await bundle({ root, force: release, types: release, addonPath: addon.path });
}
