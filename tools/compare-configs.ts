/**
 * Holds the project's tables of configs against the facts of Apache Kafka: field by field, both ways.
 *
 *     node tools/compare-configs.ts [DIRECTORY]     (default ../shared/protocol)
 *
 * DIRECTORY has broker-configs.tsv, topic-configs.tsv, group-configs.tsv, client-quota-configs.tsv, client-metrics-configs.tsv and
 * remote-log-metadata-configs.tsv. Exits 1 and lists the differences if there are any, 2 if the files cannot be read.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaBrokerConfigs } from '../src/config/broker-configs.ts';
import type { ConfigDefinition } from '../src/config/definition.ts';
import { clientMetricsConfigs } from '../src/config/tables/client-metrics.ts';
import { clientQuotaConfigs, ipQuotaConfigs } from '../src/config/tables/client-quota.ts';
import { type GroupConfigDefinition, dynamicGroupConfigs } from '../src/config/tables/group.ts';
import { remoteLogMetadataConfigs } from '../src/config/tables/remote-log-metadata.ts';
import { type TopicConfigDefinition, topicConfigs } from '../src/config/tables/topic.ts';

/** A row of a file, or a config of ours in the same form: columns by name. */
type Row = Readonly<Record<string, string>>;

/** What describes a config besides its name, and is not compared: the class that defines it in Kafka. */
const IGNORED_COLUMNS: ReadonlySet<string> = new Set(['definedIn']);

/** Compares rows by the columns of `theirs`; one line per difference. */
function differences(
  file: string,
  theirs: ReadonlyMap<string, Row>,
  ours: ReadonlyMap<string, Row>,
): string[] {
  const found: string[] = [];
  for (const [key, row] of theirs) {
    const own = ours.get(key);
    if (own === undefined) {
      found.push(`${file}: ${key} is missing here`);
      continue;
    }
    for (const [column, value] of Object.entries(row)) {
      if (IGNORED_COLUMNS.has(column) || own[column] === value) continue;
      found.push(`${file}: ${key}: ${column} is "${value}" there and "${own[column] ?? ''}" here`);
    }
  }
  for (const key of ours.keys()) if (!theirs.has(key)) found.push(`${file}: ${key} is only here`);
  return found;
}

function readRows(path: string): Map<string, Row> {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const columns = header.split('\t');
  const rows = lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(columns.map((column, i) => [column, cells[i] ?? '']));
  });
  return new Map(rows.map((row) => [keyOf(row), row]));
}

/** Quotas of different entities may share a name. */
function keyOf(row: Row): string {
  return row['entity'] === undefined ? (row['name'] ?? '') : `${row['entity']}/${row['name'] ?? ''}`;
}

/** A config of ours with the columns of the files. */
function ownRow(name: string, definition: ConfigDefinition): Record<string, string> {
  const { defaultText } = definition;
  return {
    name,
    type: definition.type,
    default: defaultText === undefined ? '(required)' : defaultText === null ? 'null' : defaultText || '""',
    valid: definition.rule?.notation ?? '-',
    updateMode: definition.updateMode,
    importance: definition.importance,
    internal: definition.internal ? 'yes' : 'no',
  };
}

function ownRows<D extends ConfigDefinition>(
  table: Readonly<Record<string, D>>,
  more: (definition: D) => Row = () => ({}),
): [string, Row][] {
  return Object.entries(table).map(([name, definition]) => {
    const row = { ...ownRow(name, definition), ...more(definition) };
    return [keyOf(row), row];
  });
}

const topicColumns = ({ serverDefaults }: TopicConfigDefinition) => ({
  serverDefault: serverDefaults.join(',') || '-',
});
const groupColumns = ({ serverDefault, serverMin, serverMax }: GroupConfigDefinition) => ({
  serverDefault: serverDefault ?? '-',
  serverMin: serverMin ?? '-',
  serverMax: serverMax ?? '-',
});
const brokerQuotas = Object.fromEntries(
  Object.entries<ConfigDefinition>(kafkaBrokerConfigs).filter(
    ([, { updateMode }]) => updateMode === 'dynamic-only',
  ),
);

const tables: Record<string, [string, Row][]> = {
  'broker-configs.tsv': ownRows(kafkaBrokerConfigs),
  'topic-configs.tsv': ownRows<TopicConfigDefinition>(topicConfigs, topicColumns),
  'group-configs.tsv': ownRows<GroupConfigDefinition>(dynamicGroupConfigs, groupColumns),
  'client-quota-configs.tsv': [
    ...ownRows(clientQuotaConfigs, () => ({ entity: 'user,client-id' })),
    ...ownRows(ipQuotaConfigs, () => ({ entity: 'ip' })),
    ...ownRows(brokerQuotas, () => ({ entity: 'broker' })),
  ],
  'client-metrics-configs.tsv': ownRows(clientMetricsConfigs),
  'remote-log-metadata-configs.tsv': ownRows(remoteLogMetadataConfigs),
};

const directory = process.argv[2] ?? join(import.meta.dirname, '../../shared/protocol');
const found: string[] = [];
let compared = 0;
for (const [file, own] of Object.entries(tables)) {
  let theirs: Map<string, Row>;
  try {
    theirs = readRows(join(directory, file));
  } catch (error) {
    console.error(`cannot read ${join(directory, file)}: ${(error as Error).message}`);
    process.exit(2);
  }
  compared += theirs.size;
  found.push(...differences(file, theirs, new Map(own)));
}
for (const line of found) console.error(line);
console.log(`${compared} configs compared, ${found.length} differences`);
process.exit(found.length === 0 ? 0 : 1);
