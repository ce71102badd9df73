/** The life of a broker's process: start, readiness, signals, end. */
import type { Logger } from '../base/logger.ts';
import { VERSION } from '../base/version.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { formatAddress } from '../config/listeners.ts';
import { type EndSignal, SIGNAL_NUMBERS } from '../io/node/process.ts';
import { EXIT_FAILURE, EXIT_SIGNAL_BASE } from './exit-codes.ts';
import { failureLines } from './failure.ts';

/** A broker that answers clients. */
export interface RunningBroker {
  /** Where it listens: the ports that were really bound. */
  readonly addresses: readonly {
    readonly listenerName: string;
    readonly host: string;
    readonly port: number;
  }[];
  /** Where /metrics and /healthz are; null if they are not served. */
  readonly adminAddress: { readonly host: string; readonly port: number } | null;
  /** Answers what is in progress, flushes, leaves the marker of a clean shutdown. */
  close(): Promise<void>;
}

/** What the process gives. */
export interface ServeSystem {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  readonly onEndSignal: (handler: (signal: EndSignal) => void) => void;
  readonly onUncaught: (handler: (error: unknown) => void) => void;
  readonly exit: (code: number) => void;
  /** Since the system started the process. */
  readonly uptimeMs: () => number;
}

/** What is served, and how it speaks. */
export interface Service {
  readonly config: BrokerConfig;
  readonly logger: Logger;
  /** True when lines are for people: then a hint follows the readiness. */
  readonly human: boolean;
  readonly startBroker: () => Promise<RunningBroker>;
}

/**
 * Starts a broker and ties its life to the process: the first SIGINT, SIGTERM or SIGHUP (its terminal was closed) closes it and exits with 0, also when it comes during the
 * start; the second
 * one exits at once. An error that nothing caught leaves the state unknown, so the process ends without closing, and the next start
 * recovers.
 * Resolves when the broker is ready or the process is about to end.
 */
export async function serve(service: Service, system: ServeSystem): Promise<void> {
  const { config, logger } = service;
  let broker: RunningBroker | null = null;
  let stopping = false;

  const close = async (running: RunningBroker) => {
    try {
      await running.close();
      logger.info('Stopped cleanly');
      system.exit(0);
    } catch (error) {
      logger.error('Could not stop cleanly', { error });
      system.exit(EXIT_FAILURE);
    }
  };
  system.onEndSignal((signal) => {
    if (stopping) {
      logger.warn('Stopping at once', { signal });
      system.exit(EXIT_SIGNAL_BASE + SIGNAL_NUMBERS[signal]);
      return;
    }
    stopping = true;
    logger.info('Stopping; a second signal stops at once', { signal });
    if (broker !== null) void close(broker);
  });
  system.onUncaught((error) => {
    logger.error('Stopping because of an unexpected error; please report it', { error });
    system.exit(EXIT_FAILURE);
  });

  logger.info('Starting Odradek', { version: VERSION, nodeId: config.nodeId });
  for (const warning of config.warnings) logger.warn(warning);
  try {
    broker = await service.startBroker();
  } catch (error) {
    for (const line of failureLines(error)) system.err(line);
    system.exit(EXIT_FAILURE);
    return;
  }
  if (stopping) await close(broker);
  else announce(service, system, broker);
}

function announce(service: Service, system: ServeSystem, broker: RunningBroker): void {
  const { config, logger } = service;
  const addresses = connectAddresses(config, broker);
  const data = config.logDirs.join(',');
  logger.info('Ready', {
    connectTo: addresses.join(','),
    admin: broker.adminAddress === null ? undefined : formatAddress(broker.adminAddress),
    data,
    startMs: Math.round(system.uptimeMs()),
  });
  if (!service.human) return;
  const [address = ''] = addresses;
  system.out(
    `  Connect Kafka clients to ${address}, for example: echo hello | kcat -b ${address} -P -t greetings`,
  );
  system.out(`  Data is in ${data}; Ctrl-C stops. What can be set: odradek --help`);
}

/** What clients are told to connect to, with the ports that were really bound where the configuration left them open. */
function connectAddresses(config: BrokerConfig, broker: RunningBroker): string[] {
  return config.listeners.advertised.map((endpoint) => {
    const bound = broker.addresses.find((address) => address.listenerName === endpoint.listenerName);
    return formatAddress({
      host: endpoint.host,
      port: endpoint.port === 0 ? (bound?.port ?? 0) : endpoint.port,
    });
  });
}
