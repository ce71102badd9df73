/** `odradek start`: the composition of configuration, ports and broker in this process. */
import { BrokerError } from '../base/broker-error.ts';
import { createLogger, type Logger, type LogLevel } from '../base/logger.ts';
import { Random } from '../base/random.ts';
import { Broker } from '../broker/broker.ts';
import { BrokerConfig } from '../config/broker-config.ts';
import { gatherSettings } from '../config/sources.ts';
import { createPorts, type Ports } from '../io/node/ports.ts';
import {
  entropy,
  environment,
  exit,
  hostName,
  isTerminal,
  lineSink,
  nameProcess,
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
import { type RunningBroker, serve } from './serve.ts';

/** Starts a broker; resolves when it is ready. It then lives until a signal. */
export async function start(flags: StartFlags): Promise<void> {
  nameProcess('odradek');
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
  const startBroker = () => startOn(ports, config, logger);
  await serve({ config, logger, human, startBroker }, { out, err, onEndSignal, onUncaught, exit, uptimeMs });
}

/** A broker on the ports of this machine, which are closed after it. */
async function startOn(ports: Ports, config: BrokerConfig, logger: Logger): Promise<RunningBroker> {
  if (ports.reason !== null)
    logger.warn('The native addon is not used; plain Node.js serves, at lower speed', {
      reason: ports.reason,
    });
  const random = new Random(...entropy(3));
  const broker = await Broker.start({ config, ports: { ...ports, random }, logger });
  return {
    addresses: broker.addresses,
    adminAddress: broker.adminAddress,
    async close() {
      await broker.close();
      await new Promise<void>((done) => ports.network.shutdown(done));
      await new Promise<void>((done) => ports.disk.close(done));
    },
  };
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
