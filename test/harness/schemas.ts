/** Every schema of the protocol room, and values for them, for the tests that go over all. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { FieldSpec, MessageSpec, PrimitiveName, StructSpec } from '../../src/protocol/schema.ts';
import { hasVersion, parseVersions } from '../../src/protocol/versions.ts';

/** A message or struct as an object of which only the schema's value is known. */
export type AnyMessage = Record<string, unknown>;

/** The exports of `src/protocol/messages` and `src/protocol/records`, by name. */
export async function allSchemas(): Promise<Map<string, MessageSpec>> {
  const schemas = new Map<string, MessageSpec>();
  for (const folder of ['messages', 'records']) {
    const directory = new URL(`../../src/protocol/${folder}/`, import.meta.url);
    for (const file of readdirSync(directory)) {
      const module = (await import(new URL(file, directory).href)) as Record<string, MessageSpec>;
      for (const [name, schema] of Object.entries(module)) schemas.set(name, schema);
    }
  }
  return schemas;
}

/** Each schema with each of its versions. */
export function allVersions(schemas: Iterable<MessageSpec>): { schema: MessageSpec; version: number }[] {
  return [...schemas].flatMap((schema) => {
    const { low, high } = parseVersions(schema.versions);
    return Array.from({ length: high - low + 1 }, (_, index) => ({ schema, version: low + index }));
  });
}

/** The rows of a file of JSON lines in `testdata/protocol`. */
export function readVectors<T>(file: string): T[] {
  const text = readFileSync(new URL(`../../testdata/protocol/${file}`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** A row of `messages.jsonl`. */
export interface MessageVector {
  readonly name: string;
  readonly version: number;
  readonly case: 'defaults' | 'full' | 'nulls';
  readonly json: AnyMessage;
  readonly hex: string;
}

/** The value a vector's JSON stands for: bytes and records are base64 there, and int64 of the full range numbers. */
export function valueOfJson(fields: Readonly<Record<string, FieldSpec>>, json: AnyMessage): AnyMessage {
  const value: AnyMessage = {};
  for (const [name, content] of Object.entries(json)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`the schema has no field ${name}`);
    value[name] = fieldOfJson(field, content);
  }
  return value;
}

function fieldOfJson(field: FieldSpec, json: unknown): unknown {
  if (json === null) return null;
  const of = field.element ?? (field.type as PrimitiveName);
  return field.type === 'array'
    ? (json as unknown[]).map((element) => elementOfJson(of, element))
    : elementOfJson(of, json);
}

function elementOfJson(type: PrimitiveName | StructSpec, json: unknown): unknown {
  if (typeof type !== 'string') return valueOfJson(type.fields, json as AnyMessage);
  if (type === 'bytes' || type === 'records') return Buffer.from(json as string, 'base64');
  return type === 'wideInt64' ? BigInt(json as number) : json;
}

/** Where `actual` lacks something that `expected` has, or null; what `actual` has besides does not matter. */
export function firstDifference(actual: unknown, expected: unknown, path = ''): string | null {
  if (expected === null || typeof expected !== 'object') {
    return Object.is(actual, expected) ? null : `${path}: ${String(actual)} is not ${String(expected)}`;
  }
  if (Buffer.isBuffer(expected)) {
    return Buffer.isBuffer(actual) && actual.equals(expected) ? null : `${path}: other bytes`;
  }
  if (actual === null || typeof actual !== 'object') return `${path}: ${String(actual)} is no object`;
  if (Array.isArray(expected) && (actual as unknown[]).length !== expected.length)
    return `${path}: other length`;
  for (const [key, value] of Object.entries(expected)) {
    const difference = firstDifference((actual as AnyMessage)[key], value, `${path}.${key}`);
    if (difference !== null) return difference;
  }
  return null;
}

/**
 * Values of a message at one version: every field that is on the wire then, and unknown tagged fields where
 * they may be.
 */
export function messageArbitrary(schema: MessageSpec, version: number): fc.Arbitrary<AnyMessage> {
  const flexible = hasVersion(schema.flexible, version);
  return structArbitrary({ name: schema.name, versions: null, fields: schema.fields() }, version, flexible);
}

function structArbitrary(struct: StructSpec, version: number, flexible: boolean): fc.Arbitrary<AnyMessage> {
  const present = Object.entries(struct.fields).filter(([, field]) => hasVersion(field.versions, version));
  const arbitraries = Object.fromEntries(
    present.map(([name, field]) => [name, fieldArbitrary(field, version, flexible)]),
  );
  const fields = fc.record(arbitraries);
  if (!flexible) return fields;
  const unknown = fc.uniqueArray(
    fc.record({ tag: fc.integer({ min: 1000, max: 2 ** 32 - 1 }), data: bytesArbitrary }),
    { selector: ({ tag }) => tag, maxLength: 2 },
  );
  return fc.tuple(fields, fc.option(unknown, { freq: 4 })).map(([value, tags]) => {
    if (tags === null || tags.length === 0) return value;
    return { ...value, unknownTaggedFields: tags.sort((a, b) => a.tag - b.tag) };
  });
}

function fieldArbitrary(field: FieldSpec, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  const of = field.element ?? (field.type as PrimitiveName);
  const element = typeof of === 'string' ? PRIMITIVES[of] : structArbitrary(of, version, flexible);
  const value = field.type === 'array' ? fc.array(element, { maxLength: 3 }) : element;
  const { nullable } = field.options;
  return nullable !== undefined && hasVersion(nullable, version) ? fc.option(value) : value;
}

const bytesArbitrary = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const PRIMITIVES: Readonly<Record<PrimitiveName, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  uint16: fc.integer({ min: 0, max: 65535 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: fc.maxSafeInteger(),
  wideInt64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double(),
  string: fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.integer({ min: 40, max: 140 }).map((length) => 'x'.repeat(length)),
  ),
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString('base64url')),
  bytes: bytesArbitrary,
  records: bytesArbitrary,
};
