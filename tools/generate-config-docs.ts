/**
 * Writes docs/configuration.md from the tables in src/config/.
 *
 *     node tools/generate-config-docs.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigDefinition } from '../src/config/definition.ts';
import { DEVELOPMENT_PROFILE } from '../src/config/development.ts';
import { IGNORED_VARIABLES, IGNORED_VARIABLE_PREFIXES } from '../src/config/environment.ts';
import { clientMetricsConfigs } from '../src/config/tables/client-metrics.ts';
import { clientQuotaConfigs, ipQuotaConfigs } from '../src/config/tables/client-quota.ts';
import { dynamicGroupConfigs } from '../src/config/tables/group.ts';
import { groupConfigs } from '../src/config/tables/groups.ts';
import { kraftConfigs } from '../src/config/tables/kraft.ts';
import { logConfigs } from '../src/config/tables/log.ts';
import { networkConfigs } from '../src/config/tables/network.ts';
import { odradekConfigs } from '../src/config/tables/odradek.ts';
import { remoteLogMetadataConfigs } from '../src/config/tables/remote-log-metadata.ts';
import { remoteStorageConfigs } from '../src/config/tables/remote-storage.ts';
import { replicationConfigs } from '../src/config/tables/replication.ts';
import { securityConfigs } from '../src/config/tables/security.ts';
import { serverConfigs } from '../src/config/tables/server.ts';
import { shareGroupConfigs } from '../src/config/tables/share-groups.ts';
import { topicConfigs } from '../src/config/tables/topic.ts';
import { transactionConfigs } from '../src/config/tables/transactions.ts';

/** The generated page. */
export const PAGE = join(import.meta.dirname, '../docs/configuration.md');

type Table = Readonly<Record<string, ConfigDefinition>>;

const brokerSections: readonly (readonly [string, Table])[] = [
  ["Odradek's own", odradekConfigs],
  ['Listeners and connections', networkConfigs],
  ['The node', serverConfigs],
  ['Logs and their cleaning', logConfigs],
  ['Roles, quorum and metadata log', kraftConfigs],
  ['Replication and quotas', replicationConfigs],
  ['Groups and committed offsets', groupConfigs],
  ['Share groups', shareGroupConfigs],
  ['Transactions and idempotent producers', transactionConfigs],
  ['TLS, SASL and tokens', securityConfigs],
  ['Tiered storage', remoteStorageConfigs],
  ['Metadata of tiered storage, behind the prefix `rlmm.config.`', remoteLogMetadataConfigs],
];

/** The text of docs/configuration.md. */
export function configurationPage(): string {
  const parts = [INTRODUCTION, '## Development profile', DEVELOPMENT, list(developmentRows()), ENVIRONMENT];
  parts.push('## Settings of a broker', BROKER_COLUMNS);
  for (const [title, table] of brokerSections) parts.push(`### ${title}`, settingsTable(table));
  parts.push('## Configs of a topic', TOPICS, topicTable());
  parts.push('## Configs of a group', GROUPS, groupTable());
  parts.push('## Quotas of users and client ids', settingsTable(clientQuotaConfigs));
  parts.push('## Quotas of an IP address', settingsTable(ipQuotaConfigs));
  parts.push('## Client metrics subscriptions', settingsTable(clientMetricsConfigs));
  return `${parts.join('\n\n')}\n`;
}

const INTRODUCTION = `<!-- Written by tools/generate-config-docs.ts; edit the tables in src/config/ or the texts in that file. -->
# Configuration

Odradek takes the settings of Apache Kafka 4.2 by their names, from these places, the later winning:

1. a properties file (\`--config server.properties\`), in Java's syntax; without one, the development profile below;
2. environment variables: \`KAFKA_LOG_DIRS\` is \`log.dirs\`;
3. options of the command: \`--set name=value\` for any setting, and short ones for the common:

| option | setting |
| --- | --- |
| \`--port\` | the port of the first listener in \`listeners\` that is not the controllers', and of its advertised address where that had the same port |
| \`--data-dir\` | \`log.dirs\` |
| \`--admin-port\` | \`odradek.admin.port\` |
| \`--cluster-id\` | \`odradek.cluster.id\` |
| \`--format\` | \`odradek.auto.format=true\` |
| \`--log-format\`, \`--log-level\` | \`odradek.log.format\`, \`odradek.log.level\` |

A value that is not allowed, or that does not fit the others, stops the start; the message names the setting, its value, where it was
set and what is allowed.
An unknown name is ignored with a warning. Relative directories are below the working directory.

What is listed here is read and checked. A setting of a part that this version does not have yet, such as consumer groups or
transactions, has no effect; one on which access or
the safety of data hangs (TLS and SASL listeners, \`authorizer.class.name\`, tiered storage, more than one voter) stops the start
instead. Settings that name Java classes have no effect, and those that
size Kafka's thread pools mean nothing to a broker with one thread.`;

const DEVELOPMENT = `What a start without \`--config\` begins with: one node that is broker and controller, open to this machine only,
with its data in \`./odradek-data\`, formatted when it is empty. Topics come
into being when they are used, with one partition. A node that is its quorum alone needs no listener for controllers.
With \`--config\` none of this applies: then \`process.roles\`, \`node.id\` and \`controller.listener.names\` must be set, and an empty
data directory is only formatted with \`--format\`.`;

const ENVIRONMENT = `## Environment variables

\`KAFKA_\` and the name in capitals, as in Kafka's container images: one underscore is a dot, two are an underscore, three a hyphen.
\`CLUSTER_ID\` and \`KAFKA_CLUSTER_ID\` are \`odradek.cluster.id\`. These are for Kafka's scripts, its
JVM or its images and are passed over: ${[...IGNORED_VARIABLES].map((name) => `\`${name}\``).join(', ')}, ${IGNORED_VARIABLE_PREFIXES.map((name) => `\`${name}…\``).join(', ')}. Variables without the prefix, such as \`LOG_DIR\` or \`JMX_PORT\`, are not looked at.`;

const BROKER_COLUMNS = `\`listener.name.{name}.{setting}\`, with the listener's name in small letters, sets one of the listener and
security settings for one listener. *Update* says what Kafka can change without a restart: for one broker,
for the whole cluster, or only while it runs.`;

const TOPICS =
  'What a topic does not set itself it takes from the broker, from the first of the named settings that is set.';

const GROUPS =
  'What a group does not set itself it takes from the broker, which also bounds what may be set.';

function developmentRows(): string[][] {
  return Object.entries(DEVELOPMENT_PROFILE).map(([name, value]) => [code(name), code(value)]);
}

function list(rows: string[][]): string {
  return markdown(['setting', 'value'], rows);
}

function settingsTable(table: Table): string {
  const mutable = Object.values(table).some(({ updateMode }) => updateMode !== 'read-only');
  const rows = Object.entries(table).map(([name, definition]) => {
    const row = [code(name), ...facts(definition)];
    if (mutable) row.push(definition.updateMode === 'read-only' ? '' : definition.updateMode);
    return row;
  });
  return markdown(['setting', 'meaning', 'type', 'default', 'allowed', ...(mutable ? ['update'] : [])], rows);
}

function topicTable(): string {
  const rows = Object.entries(topicConfigs).map(([name, definition]) => {
    const broker = (definition.serverDefaults as readonly string[]).map(code).join(', ');
    return [code(name), ...facts(definition), broker];
  });
  return markdown(['config', 'meaning', 'type', 'default', 'allowed', 'broker setting'], rows);
}

function groupTable(): string {
  const rows = Object.entries(dynamicGroupConfigs).map(([name, definition]) => {
    const broker = [definition.serverDefault, definition.serverMin, definition.serverMax];
    return [
      code(name),
      ...facts(definition),
      ...broker.map((setting) => (setting === null ? '' : code(setting))),
    ];
  });
  return markdown(
    ['config', 'meaning', 'type', 'default', 'allowed', 'broker setting', 'smallest', 'largest'],
    rows,
  );
}

/** Meaning, type, default and allowed values. */
function facts(definition: ConfigDefinition): string[] {
  const { defaultText, doc, internal, rule, type } = definition;
  return [
    internal ? `${doc} (internal)` : doc,
    type.toLowerCase(),
    defaultText === undefined ? '*must be set*' : defaultText === null ? '' : code(defaultText),
    rule?.allowed ?? '',
  ];
}

function code(text: string): string {
  return text === '' ? '(empty)' : `\`${text}\``;
}

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

if (import.meta.main) writeFileSync(PAGE, configurationPage());
