/**
 * What Kafka's configs can ask for and this version does not do. A setting on which the safety of data or access hangs stops the start;
 * one that
 * names a Java class is told to have no effect. A row goes when the part comes.
 */
import type { BrokerConfigName } from './broker-configs.ts';
import type { ConfigReader } from './config-reader.ts';
import type { NodeListeners } from './listener-config.ts';
import type { QuorumVoter } from './quorum-voters.ts';

/** Settings that cannot be honoured. */
export interface MissingSupport {
  /** Of which config, and why. */
  readonly problems: readonly (readonly [BrokerConfigName, string])[];
  readonly warnings: readonly string[];
}

/** Java classes that Kafka would load; a default that Kafka itself has is no wish of the user. */
const JAVA_PLUGINS: readonly BrokerConfigName[] = [
  'alter.config.policy.class.name',
  'client.quota.callback.class',
  'create.topic.policy.class.name',
  'kafka.metrics.reporters',
  'metric.reporters',
  'principal.builder.class',
  'replica.selector.class',
];

/** Compares what is asked for with what there is. */
export function whatIsMissing(
  config: ConfigReader,
  listeners: NodeListeners,
  voters: readonly QuorumVoter[],
): MissingSupport {
  const problems: [BrokerConfigName, string][] = [];
  const secured = [...listeners.broker, ...listeners.controller].filter(
    (l) => l.securityProtocol !== 'PLAINTEXT',
  );
  for (const { listenerName, securityProtocol } of secured) {
    problems.push([
      'listener.security.protocol.map',
      `the listener ${listenerName} asks for ${securityProtocol}, which this version does not have; allowed: PLAINTEXT`,
    ]);
  }
  if (config.get('authorizer.class.name') !== '')
    problems.push([
      'authorizer.class.name',
      'this version allows everything to everybody; remove the setting to accept that',
    ]);
  const roles = config.get('process.roles');
  if (!roles.includes('broker') || !roles.includes('controller'))
    problems.push(['process.roles', 'this version runs both roles in one node; allowed: broker,controller']);
  if (voters.some((voter) => voter.nodeId !== config.get('node.id')))
    problems.push([
      'controller.quorum.voters',
      'this version runs a quorum of one node; name only this node, or nobody',
    ]);
  if (config.get('remote.log.storage.system.enable'))
    problems.push(['remote.log.storage.system.enable', 'this version has no tiered storage; allowed: false']);
  const warnings = JAVA_PLUGINS.filter((name) => config.isSet(name)).map(
    (name) => `${name} is ignored: Odradek does not load Java classes`,
  );
  return { problems, warnings };
}
