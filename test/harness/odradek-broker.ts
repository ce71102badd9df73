import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { BrokerProcess } from './broker-process.ts';
import { ROOT_DIRECTORY } from './environment.ts';
import { freePort } from './temporary.ts';

/** What users start: the bundled output. `ODRADEK_PROGRAM` names another, such as `src/cli/main.ts`. */
export const ODRADEK_PROGRAM: string =
  process.env['ODRADEK_PROGRAM'] ?? join(ROOT_DIRECTORY, 'dist', 'odradek.mjs');

/** An Odradek as a child process, on a port of its own. */
export interface OdradekBroker {
  readonly process: BrokerProcess;
  /** Its `--data-dir`. */
  readonly dataDirectory: string;
}

/**
 * Prepares a broker on a free port; `process.start()` starts it, again and again on the same port and directory.
 * @param dataDirectory its `--data-dir`; made by the broker.
 * @param settings given as `--set name=value`.
 */
export async function prepareOdradek(
  dataDirectory: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<OdradekBroker> {
  if (!existsSync(ODRADEK_PROGRAM)) throw new Error(`${ODRADEK_PROGRAM} is not built: run npm run build`);
  const port = await freePort();
  const args = [ODRADEK_PROGRAM, 'start', '--port', String(port), '--data-dir', dataDirectory];
  for (const [name, value] of Object.entries(settings)) args.push('--set', `${name}=${value}`);
  return {
    process: new BrokerProcess({
      name: 'Odradek',
      command: process.execPath,
      args,
      port,
      startTimeoutMs: 20_000,
    }),
    dataDirectory,
  };
}
