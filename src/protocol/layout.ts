import { assert } from '../base/assert.ts';
import type { FieldSpec, MessageSpec, PrimitiveName, StructSpec } from './schema.ts';
import { hasVersion } from './versions.ts';

/**
 * A schema resolved at one version: which fields are on the wire and how. The compilers work from this alone.
 */
export interface MessageLayout {
  readonly name: string;
  readonly version: number;
  /**
   * All structs, each once, after those it is made of; `StructLayout.id` is the index and the message itself
   * comes last.
   */
  readonly structs: readonly StructLayout[];
  readonly root: StructLayout;
}

/** A struct at one version. */
export interface StructLayout {
  readonly id: number;
  /** Every field of the schema, in order, whether on the wire or not. */
  readonly fields: readonly FieldLayout[];
  /** Fields on the wire in line. */
  readonly inline: readonly FieldLayout[];
  /** Fields in the tagged section, by ascending tag. */
  readonly tagged: readonly FieldLayout[];
  /** The version is flexible: the struct ends with a tagged section. */
  readonly flexible: boolean;
}

/** A field at one version. */
export interface FieldLayout {
  readonly name: string;
  /** Dotted path from the message, for error texts. */
  readonly path: string;
  /** Index within the struct; names the local variable in generated code. */
  readonly index: number;
  readonly type: PrimitiveName | 'array' | 'struct';
  /** What an array holds, or the struct; null for a primitive. */
  readonly element: PrimitiveName | StructLayout | null;
  readonly present: boolean;
  readonly tag: number | null;
  readonly flexible: boolean;
  readonly nullable: boolean;
  readonly ignorable: boolean;
  /** The stated default; undefined stands for the type's own. */
  readonly stated: unknown;
}

/** Bytes of a primitive on the wire, or null when its size varies. */
export function fixedSize(type: FieldLayout['type']): number | null {
  return FIXED_SIZES[type] ?? null;
}

const FIXED_SIZES: Readonly<Partial<Record<FieldLayout['type'], number>>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  wideInt64: 8,
  float64: 8,
  uuid: 16,
};

/** Resolves `schema` at `version`, which is one of its valid versions. */
export function layoutOf(schema: MessageSpec, version: number): MessageLayout {
  const structs: StructLayout[] = [];
  const known = new Map<StructSpec, StructLayout>();
  const flexible = hasVersion(schema.flexible, version);

  const resolveStruct = (spec: StructSpec, path: string): StructLayout => {
    const seen = known.get(spec);
    if (seen !== undefined) return seen;
    const fields = Object.entries(spec.fields).map(([name, field], index) =>
      resolveField(name, field, index, path),
    );
    const present = fields.filter((field) => field.present);
    const layout: StructLayout = {
      id: structs.length,
      fields,
      inline: present.filter((field) => field.tag === null),
      tagged: present.filter((field) => field.tag !== null).sort((a, b) => (a.tag ?? 0) - (b.tag ?? 0)),
      flexible,
    };
    structs.push(layout);
    known.set(spec, layout);
    return layout;
  };

  const resolveField = (name: string, spec: FieldSpec, index: number, prefix: string): FieldLayout => {
    const { options } = spec;
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const present = hasVersion(spec.versions, version);
    const element =
      spec.element === null || typeof spec.element === 'string'
        ? spec.element
        : resolveStruct(spec.element, path);
    assert(!present || options.tag === undefined || flexible, `${path}: tagged in a version without tags`);
    return {
      name,
      path,
      index,
      type: spec.type,
      element,
      present,
      tag: options.tag ?? null,
      flexible: flexible && options.flexible !== 'none',
      nullable: options.nullable !== undefined && hasVersion(options.nullable, version),
      ignorable: options.ignorable === true,
      stated: options.default,
    };
  };

  const root = resolveStruct({ name: schema.name, versions: null, fields: schema.fields() }, '');
  return { name: schema.name, version, structs, root };
}

/**
 * The fewest bytes that `type` takes on the wire; at least 1, so that no count can exceed the bytes it stands
 * for.
 */
export function smallestSize(type: PrimitiveName | StructLayout, flexible: boolean): number {
  if (typeof type !== 'string') return Math.max(1, smallestStruct(type));
  return fixedSize(type) ?? smallestPrefix(type, flexible);
}

function smallestStruct(struct: StructLayout): number {
  let size = struct.flexible ? 1 : 0;
  for (const field of struct.inline) size += smallestField(field);
  return size;
}

function smallestField(field: FieldLayout): number {
  if (field.type === 'struct') return field.nullable ? 1 : smallestStruct(field.element as StructLayout);
  return fixedSize(field.type) ?? smallestPrefix(field.type, field.flexible);
}

function smallestPrefix(type: FieldLayout['type'], flexible: boolean): number {
  if (flexible) return 1;
  return type === 'string' ? 2 : 4;
}

/** The default of `field` as an expression of generated code. `EMPTY` is bytes of length 0, `ZERO` the zero uuid. */
export function defaultExpression(field: FieldLayout): string {
  const { stated } = field;
  if (stated === null) return 'null';
  if (typeof stated === 'bigint') return `${stated}n`;
  if (stated !== undefined) return typeof stated === 'number' ? String(stated) : JSON.stringify(stated);
  switch (field.type) {
    case 'bool':
      return 'false';
    case 'wideInt64':
      return '0n';
    case 'string':
      return "''";
    case 'uuid':
      return 'ZERO';
    case 'bytes':
      return 'EMPTY';
    case 'records':
      return 'null';
    case 'array':
      return '[]';
    case 'struct':
      return defaultStruct(field.element as StructLayout);
    default:
      return '0';
  }
}

function defaultStruct(struct: StructLayout): string {
  const entries = struct.fields.map((field) => `${field.name}: ${defaultExpression(field)}`);
  return `{ ${entries.join(', ')} }`;
}
