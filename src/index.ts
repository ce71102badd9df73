/**
 * The package's entry: a broker inside a Node process.
 *
 *     import { Broker } from 'odradek';
 *     const broker = await Broker.start();
 *     // … connect any Kafka client to broker.bootstrapServers …
 *     await broker.close();
 */
import { nullLogger, type Logger } from './base/logger.ts';
import { Random } from './base/random.ts';
import { randomUuid } from './base/uuid.ts';
import { Broker as Node } from './broker/broker.ts';
import { developmentConfig } from './config/development.ts';
import { formatAddress } from './config/listeners.ts';
import { createPorts, type Ports } from './io/node/ports.ts';
import { entropy, environment, hostName, workingDirectory } from './io/node/process.ts';

export { BrokerError } from './base/broker-error.ts';
export type { Logger } from './base/logger.ts';

/** How an embedded broker is started. Everything is optional. */
export interface StartOptions {
  /** Port on 127.0.0.1; any free one when left out. */
  readonly port?: number;
  /** Where data is kept; when left out, a temporary directory that `close` removes. */
  readonly dataDirectory?: string;
  /** Kafka's broker configs by name, over the development profile. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where log lines go; nowhere when left out. */
  readonly logger?: Logger;
}

/** A broker in this process. Several may run at once. */
export class Broker {
  /** What clients take as `bootstrap.servers`. */
  readonly bootstrapServers: string;
  readonly port: number;
  readonly dataDirectory: string;
  readonly #node: Node;
  readonly #ports: Ports;
  readonly #removesData: boolean;

  /** Not to be called: see `Broker.start`. */
  private constructor(node: Node, ports: Ports, dataDirectory: string, removesData: boolean) {
    this.#node = node;
    this.#ports = ports;
    this.#removesData = removesData;
    this.dataDirectory = dataDirectory;
    this.bootstrapServers = node.addresses.map(formatAddress).join(',');
    this.port = node.addresses[0]?.port ?? 0;
  }

  /** Starts a broker; resolves when clients may connect. @throws BrokerError for a bad setting, a locked directory, a port that is taken. */
  static async start(options: StartOptions = {}): Promise<Broker> {
    const random = new Random(...entropy(3));
    const dataDirectory = options.dataDirectory ?? temporaryDirectory(random);
    const settings = { listeners: `PLAINTEXT://127.0.0.1:${options.port ?? 0}`, ...options.settings };
    const config = developmentConfig(
      { ...settings, 'log.dir': dataDirectory },
      { hostName: hostName(), workingDirectory: workingDirectory() },
    );
    const ports = createPorts({ prefer: config.get('odradek.io') === 'portable' ? 'portable' : 'addon' });
    const removesData = options.dataDirectory === undefined;
    try {
      const logger = options.logger ?? nullLogger;
      const node = await Node.start({ config, ports: { ...ports, random }, logger });
      return new Broker(node, ports, dataDirectory, removesData);
    } catch (error) {
      await closePorts(ports);
      if (removesData) removeTree(ports, dataDirectory);
      throw error;
    }
  }

  /** Answers what is pending, flushes, and stops. */
  async close(): Promise<void> {
    await this.#node.close();
    await closePorts(this.#ports);
    if (this.#removesData) removeTree(this.#ports, this.dataDirectory);
  }
}

function temporaryDirectory(random: Random): string {
  return `${environment()['TMPDIR'] ?? '/tmp'}/odradek-${randomUuid(random)}`;
}

async function closePorts(ports: Ports): Promise<void> {
  await new Promise<void>((done) => ports.network.shutdown(done));
  await new Promise<void>((done) => ports.disk.close(done));
}

function removeTree({ disk }: Ports, path: string): void {
  if (disk.exists(path)) disk.removeTree(path);
}
