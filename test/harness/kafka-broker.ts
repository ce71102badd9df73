import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrokerProcess } from './broker-process.ts';
import type { KafkaTools } from './kafka-tools.ts';
import { freePort } from './temporary.ts';

/** Bounded, and without the slow compiler: it runs for a few seconds. */
const BROKER_FLAGS = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/** Cluster id that the directories are formatted with. */
export const KAFKA_CLUSTER_ID = 'a2Fma2Etb3JhY2xlLTAwMA';

/** Apache Kafka itself, the oracle: one node in KRaft combined mode on the loopback interface. */
export interface KafkaBroker {
  readonly process: BrokerProcess;
  /** Its `log.dirs`. */
  readonly dataDirectory: string;
  /** Its configuration. */
  readonly propertiesFile: string;
}

/** What a node is besides its settings. */
export interface KafkaShape {
  /** Where the node's quorum knows its voter from: the configuration (kraft.version 0), or the log (kraft.version 1). */
  readonly voters?: 'configured' | 'in-log';
  /** Port of a listener with SASL, if there is to be one. */
  readonly saslPort?: number;
}

/**
 * Formats a directory and prepares a broker on free ports; `process.start()` starts it.
 * @param directory where `data/` and `server.properties` go; exists.
 * @param settings lines over the defaults, by name.
 */
export async function prepareKafka(
  tools: KafkaTools,
  directory: string,
  settings: Readonly<Record<string, string>> = {},
  shape: KafkaShape = {},
): Promise<KafkaBroker> {
  const port = await freePort();
  const controllerPort = await freePort();
  const inLog = shape.voters === 'in-log';
  const sasl = shape.saslPort === undefined ? '' : `,SASL_PLAINTEXT://127.0.0.1:${shape.saslPort}`;
  const advertised = `PLAINTEXT://127.0.0.1:${port}${sasl}`;
  const dataDirectory = join(directory, 'data');
  const file = join(directory, 'server.properties');
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    ...(inLog
      ? { 'controller.quorum.bootstrap.servers': `127.0.0.1:${controllerPort}` }
      : { 'controller.quorum.voters': `1@127.0.0.1:${controllerPort}` }),
    'controller.listener.names': 'CONTROLLER',
    listeners: `${advertised},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': advertised,
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'log.dirs': dataDirectory,
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    ...settings,
  };
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  await tools.run(
    'kafka.tools.StorageTool',
    ['format', '--ignore-formatted', ...(inLog ? ['--standalone'] : []), '-t', KAFKA_CLUSTER_ID, '-c', file],
    {
      timeoutMs: 60_000,
    },
  );
  const process = new BrokerProcess({
    name: 'Apache Kafka',
    command: tools.java,
    args: tools.javaArguments('kafka.Kafka', [file], BROKER_FLAGS),
    port,
    startTimeoutMs: 60_000,
  });
  return { process, dataDirectory, propertiesFile: file };
}
