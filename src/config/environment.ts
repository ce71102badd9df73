/** Settings in environment variables, named as in Kafka's container images. */
import type { Setting, Settings } from './settings.ts';

const PREFIX = 'KAFKA_';

/** Variables with the prefix that are for Kafka's scripts, its JVM or its images, and no settings. */
export const IGNORED_VARIABLES: ReadonlySet<string> = new Set([
  'KAFKA_CLASSPATH',
  'KAFKA_DEBUG',
  'KAFKA_GC_LOG_OPTS',
  'KAFKA_HEAP_OPT',
  'KAFKA_HEAP_OPTS',
  'KAFKA_HOME',
  'KAFKA_JMX_HOSTNAME',
  'KAFKA_JMX_OPTS',
  'KAFKA_JMX_PORT',
  'KAFKA_JVM_PERFORMANCE_OPTS',
  'KAFKA_MODE',
  'KAFKA_OPTS',
  'KAFKA_TOOLS_LOG4J_LOGLEVEL',
  'KAFKA_TOOLS_OPTS',
  'KAFKA_USER',
  'KAFKA_VERSION',
]);

/** Beginnings of such variables: Log4j's, and those that Kubernetes sets for a service named `kafka`. */
export const IGNORED_VARIABLE_PREFIXES: readonly string[] = ['KAFKA_LOG4J', 'KAFKA_PORT', 'KAFKA_SERVICE_'];

/** Variables that images of Kafka format with; there is no such setting of Kafka. */
const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  CLUSTER_ID: 'odradek.cluster.id',
  KAFKA_CLUSTER_ID: 'odradek.cluster.id',
};

/**
 * The settings among the environment's variables: `KAFKA_LOG_DIRS` is `log.dirs`. Without the prefix and in small letters, one underscore
 * is a dot, two are an underscore,
 * three a hyphen. Variables such as `LOG_DIR`, `JMX_PORT` or `JAVA_HOME`, which Kafka's scripts read, have no such prefix and no effect.
 */
export function environmentSettings(variables: Readonly<Record<string, string | undefined>>): Settings {
  const settings = new Map<string, Setting>();
  for (const [variable, text] of Object.entries(variables)) {
    const name = settingName(variable);
    if (name !== null && text !== undefined) settings.set(name, { text, origin: variable });
  }
  return settings;
}

function settingName(variable: string): string | null {
  if (Object.hasOwn(OTHER_VARIABLES, variable)) return OTHER_VARIABLES[variable] ?? null;
  if (!variable.startsWith(PREFIX) || variable === PREFIX || IGNORED_VARIABLES.has(variable)) return null;
  if (IGNORED_VARIABLE_PREFIXES.some((prefix) => variable.startsWith(prefix))) return null;
  return variable
    .slice(PREFIX.length)
    .toLowerCase()
    .replace(/_{1,3}/g, (run) => ['.', '_', '-'][run.length - 1] ?? '');
}
