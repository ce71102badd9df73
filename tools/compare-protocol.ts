/**
 * Holds the project's schemas, API table and error codes against the facts of Apache Kafka: field by field,
 * both ways.
 *
 *     node tools/compare-protocol.ts [DIRECTORY]     (default ../shared/protocol)
 *
 * DIRECTORY has messages.json, records.json, api-keys.tsv and errors.tsv. Exits 1 and lists the differences if
 * there are any, 2 if the files cannot be read.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ErrorCode, invalidatesMetadata, isRetriable } from '../src/base/errors.ts';
import { API_KEYS } from '../src/protocol/api-keys.ts';
import { type FieldSpec, MAX_INT64, type MessageSpec, type StructSpec } from '../src/protocol/schema.ts';

/** A field as messages.json has it. */
interface KafkaField {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly fields?: readonly KafkaField[];
  readonly [key: string]: unknown;
}

/** A message as messages.json has it. */
interface KafkaMessage {
  readonly name: string;
  readonly type: string;
  readonly validVersions: string;
  readonly flexibleVersions?: string;
  readonly fields?: readonly KafkaField[];
  readonly commonStructs?: readonly {
    readonly name: string;
    readonly versions: string;
    readonly fields: readonly KafkaField[];
  }[];
  readonly [key: string]: unknown;
}

const differences: string[] = [];

function expectEqual(where: string, what: string, ours: unknown, theirs: unknown): void {
  const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)];
  if (a !== b) differences.push(`${where}: ${what} is ${a ?? 'missing'}, Kafka has ${b ?? 'none'}`);
}

/** Every schema of the project by name. */
async function ownSchemas(): Promise<Map<string, MessageSpec>> {
  const schemas = new Map<string, MessageSpec>();
  for (const folder of ['messages', 'records']) {
    const directory = new URL(`../src/protocol/${folder}/`, import.meta.url);
    for (const file of readdirSync(directory)) {
      if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue;
      const module = (await import(new URL(file, directory).href)) as Record<string, MessageSpec>;
      for (const [name, schema] of Object.entries(module)) {
        expectEqual(file, 'name of the export', name, schema.name);
        if (schemas.has(name)) differences.push(`${name}: there are two`);
        schemas.set(name, schema);
      }
    }
  }
  return schemas;
}

function compareMessages(kafka: readonly KafkaMessage[], own: Map<string, MessageSpec>): number {
  let fields = 0;
  const names = new Set<string>();
  for (const message of kafka) {
    if (message.validVersions === 'none') continue;
    names.add(message.name);
    const schema = own.get(message.name);
    if (schema === undefined) differences.push(`${message.name}: missing`);
    else fields += compareMessage(message, schema);
  }
  for (const name of own.keys()) if (!names.has(name)) differences.push(`${name}: Kafka has no such message`);
  return fields;
}

function compareMessage(kafka: KafkaMessage, own: MessageSpec): number {
  const { name } = kafka;
  expectEqual(name, 'kind', own.kind, kafka.type);
  expectEqual(name, 'apiKey', own.apiKey, kafka['apiKey']);
  expectEqual(name, 'listeners', own.listeners, kafka['listeners']);
  expectEqual(name, 'versions', own.versions, kafka.validVersions);
  expectEqual(name, 'flexible', own.flexible, kafka.flexibleVersions);
  expectEqual(name, 'latestVersionUnstable', own.latestVersionUnstable, kafka['latestVersionUnstable']);
  const known = ['name', 'type', 'apiKey', 'listeners', 'validVersions', 'flexibleVersions'];
  known.push('latestVersionUnstable', 'fields', 'commonStructs', 'where');
  for (const key of Object.keys(kafka)) {
    if (!known.includes(key)) differences.push(`${name}: nothing compares ${key}`);
  }
  const comparison = new FieldComparison(kafka);
  comparison.struct(name, kafka.fields ?? [], own.fields());
  comparison.finish();
  return comparison.fields;
}

/** Options of a field that have the same name here and there. */
const SAME_OPTIONS = ['tag', 'ignorable', 'mapKey', 'entityType', 'zeroCopy'] as const;
const OTHER_KEYS = ['name', 'type', 'versions', 'fields', 'default'];
const VERSION_KEYS = ['nullableVersions', 'taggedVersions', 'flexibleVersions'];
const KNOWN_KEYS = new Set<string>([...OTHER_KEYS, ...VERSION_KEYS, ...SAME_OPTIONS]);

/** Compares the fields of one message; knows its common structs. */
class FieldComparison {
  fields = 0;
  readonly #message: KafkaMessage;
  readonly #used = new Set<string>();

  constructor(message: KafkaMessage) {
    this.#message = message;
  }

  struct(where: string, kafka: readonly KafkaField[], own: Readonly<Record<string, FieldSpec>>): void {
    const theirs = kafka.map((field) => field.name.charAt(0).toLowerCase() + field.name.slice(1));
    expectEqual(where, 'order of fields', Object.keys(own), theirs);
    for (const [index, field] of kafka.entries()) {
      const spec = own[theirs[index] as string];
      if (spec !== undefined) this.#field(`${where}.${field.name}`, field, spec);
    }
  }

  /** Every common struct of Kafka's must be one here and be in use. */
  finish(): void {
    for (const { name } of this.#message.commonStructs ?? []) {
      if (!this.#used.has(name)) differences.push(`${this.#message.name}: common struct ${name} is not used`);
    }
  }

  #field(where: string, kafka: KafkaField, own: FieldSpec): void {
    this.fields++;
    for (const key of Object.keys(kafka)) {
      if (!KNOWN_KEYS.has(key)) differences.push(`${where}: nothing compares ${key}`);
    }
    const { options } = own;
    expectEqual(where, 'type', typeName(own), kafka.type);
    expectEqual(where, 'versions', own.versions, kafka.versions);
    expectEqual(where, 'nullable', options.nullable, kafka['nullableVersions']);
    expectEqual(
      where,
      'taggedVersions',
      options.tag === undefined ? undefined : own.versions,
      kafka['taggedVersions'],
    );
    expectEqual(where, 'default', defaultText(options.default), kafka['default']);
    expectEqual(where, 'flexible', options.flexible, kafka['flexibleVersions']);
    for (const option of SAME_OPTIONS) expectEqual(where, option, options[option], kafka[option]);
    if (own.element !== null && typeof own.element !== 'string') this.#element(where, kafka, own.element);
  }

  #element(where: string, kafka: KafkaField, own: StructSpec): void {
    if (kafka.fields !== undefined) {
      expectEqual(where, 'versions of the struct', own.versions, null);
      this.struct(where, kafka.fields, own.fields);
      return;
    }
    const common = this.#message.commonStructs?.find((struct) => struct.name === own.name);
    if (common === undefined) {
      differences.push(`${where}: Kafka has no common struct ${own.name}`);
      return;
    }
    expectEqual(where, 'versions of the struct', own.versions, common.versions);
    if (this.#used.has(own.name)) return;
    this.#used.add(own.name);
    this.struct(`${this.#message.name}.${own.name}`, common.fields, own.fields);
  }
}

/** The type as Kafka writes it: `[]FetchTopic`, `int64`. */
function typeName(field: FieldSpec): string {
  const { element } = field;
  const name = element === null ? field.type : typeof element === 'string' ? element : element.name;
  const kafka = name === 'wideInt64' ? 'int64' : name;
  return field.type === 'array' ? `[]${kafka}` : kafka;
}

/** A default as Kafka writes it. */
function defaultText(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return `${value}`;
  return value === MAX_INT64 ? '9223372036854775807' : JSON.stringify(value);
}

/** The rows of a tab-separated file with a head line. */
function readTable(path: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
  });
}

function versionText(low: number, high: number): string {
  return low === high ? String(low) : `${low}-${high}`;
}

function compareApis(rows: readonly Record<string, string>[]): void {
  const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
  const live = rows.filter((row) => row['validVersions'] !== 'none');
  expectEqual(
    'API table',
    'order of keys',
    API_KEYS.map((api) => String(api.key)),
    live.map((row) => row['apiKey']),
  );
  for (const row of live) {
    const api = API_KEYS.find(({ key }) => String(key) === row['apiKey']);
    if (api === undefined) continue;
    const where = `API ${api.key}`;
    const flexible = api.flexibleFrom > api.maxVersion ? '-' : String(api.flexibleFrom);
    expectEqual(where, 'name', api.name, row['name']);
    expectEqual(where, 'versions', versionText(api.minVersion, api.maxVersion), row['validVersions']);
    expectEqual(where, 'first flexible version', flexible, row['flexibleFrom']);
    expectEqual(where, 'listeners', api.listeners.join(','), row['listeners']);
    expectEqual(where, 'unstable latest version', yesNo(api.latestVersionUnstable), row['latestUnstable']);
    expectEqual(where, 'cluster action', yesNo(api.clusterAction), row['clusterAction']);
    expectEqual(where, 'forwardable', yesNo(api.forwardable), row['forwardable']);
    expectEqual(where, 'response', api.response.name, `${row['name']}Response`);
  }
}

function compareErrors(rows: readonly Record<string, string>[]): void {
  const own = Object.entries(ErrorCode).map(([name, code]) => ({
    code: String(code),
    name,
    retriable: isRetriable(code) ? 'yes' : 'no',
    invalidatesMetadata: invalidatesMetadata(code) ? 'yes' : 'no',
  }));
  expectEqual('error codes', 'count', own.length, rows.length);
  for (const [index, row] of rows.entries()) expectEqual('error codes', `row ${index}`, own[index], row);
}

async function main(directory: string): Promise<number> {
  const readMessages = (file: string): KafkaMessage[] =>
    JSON.parse(readFileSync(join(directory, file), 'utf8')) as KafkaMessage[];
  const kafka = [...readMessages('messages.json'), ...readMessages('records.json')];
  const own = await ownSchemas();
  const fields = compareMessages(kafka, own);
  const apis = readTable(join(directory, 'api-keys.tsv'));
  compareApis(apis);
  const errors = readTable(join(directory, 'errors.tsv'));
  compareErrors(errors);
  for (const difference of differences) console.log(difference);
  console.log(
    `${own.size} schemas with ${fields} fields, ${API_KEYS.length} APIs, ${errors.length} error codes: ` +
      (differences.length === 0 ? 'no difference' : `${differences.length} differences`),
  );
  return differences.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv[2] ?? '../shared/protocol');
} catch (error) {
  console.error(`cannot compare: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
