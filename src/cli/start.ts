/** `odradek start`: the composition of configuration, ports and broker in this process. */
import { createLogger, type LogLevel } from '../base/logger.ts';
import { BrokerError } from '../base/broker-error.ts';
import { Broker } from '../broker/broker.ts';
import { BrokerConfig } from '../config/broker-config.ts';
import { gatherSettings } from '../config/sources.ts';
import { createPorts } from '../io/node/ports.ts';
import {
  environment,
  exit,
  hostName,
  isTerminal,
  lineSink,
  onEndSignal,
  onUncaught,
  readSmallFile,
  uptimeMs,
  wantsColour,
  workingDirectory,
} from '../io/node/process.ts';
import { EXIT_USAGE } from './exit-codes.ts';
import { failureLines } from './failure.ts';
import type { StartFlags } from './start-flags.ts';
import { serve } from './serve.ts';

/** Starts a broker; resolves when it is ready. It then lives until a signal. */
export async function start(flags: StartFlags): Promise<void> {
  const out = lineSink('stdout');
  const err = lineSink('stderr');
  let config: BrokerConfig;
  try {
    config = readConfig(flags);
  } catch (error) {
    for (const line of failureLines(error)) err(line);
    exit(EXIT_USAGE);
  }
  const ports = createPorts({ prefer: config.get('odradek.io') === 'portable' ? 'portable' : 'addon' });
  const format = config.get('odradek.log.format');
  const human = format === 'human' || (format === 'auto' && isTerminal('stdout'));
  const logger = createLogger({
    sink: out,
    wallMs: () => ports.clock.wallMs(),
    format: human ? 'human' : 'json',
    colour: wantsColour('stdout'),
    level: config.get('odradek.log.level') as LogLevel,
  });
  await serve(
    { config, logger, human, startBroker: () => Broker.start({ config, ports, logger }) },
    { out, err, onEndSignal, onUncaught, exit, uptimeMs },
  );
}

function readConfig(flags: StartFlags): BrokerConfig {
  const file =
    flags.config === undefined ? null : { name: flags.config, content: readConfigFile(flags.config) };
  const settings = gatherSettings({ file, environment: environment(), flags });
  return new BrokerConfig(settings, { hostName: hostName(), workingDirectory: workingDirectory() });
}

function readConfigFile(path: string): Buffer {
  try {
    return readSmallFile(path);
  } catch (cause) {
    throw new BrokerError('CONFIG_UNREADABLE', `Cannot read the configuration ${path} (--config)`, { cause });
  }
}
