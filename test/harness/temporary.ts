import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

/** Makes a directory of its own under the system's temporary one; `ODRADEK_KEEP=1` leaves it for a look. */
export function temporaryDirectory(name: string): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `odradek-${name}-`));
  return {
    path,
    remove: () => {
      if (process.env['ODRADEK_KEEP'] === '1') console.log(`kept ${path}`);
      else rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** A TCP port of the loopback interface that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port was given'));
        else resolve(address.port);
      });
    });
  });
}
