import { unsignedVarintSize } from '../base/varint.ts';
import { differs } from './default-test.ts';
import { defaultExpression, type FieldLayout, fixedSize, type StructLayout } from './layout.ts';
import type { PathTable } from './path-table.ts';
import type { PrimitiveName } from './schema.ts';

/**
 * The size pass: `size0(o)` adds up the bytes of a struct and refuses what the version cannot carry. Sizes that
 * are the same for every value are added up here, once.
 */
export function sizerSource(struct: StructLayout, paths: PathTable): string {
  let fixed = 0;
  const lines: string[] = [];
  for (const field of struct.fields) {
    if (!field.present) lines.push(...absentField(field, paths));
    else if (field.tag === null) {
      const size = fixedSize(field.type);
      if (size !== null) fixed += size;
      else lines.push(`v = o.${field.name};`, ...sizeStatements(field, 's', paths));
    }
  }
  lines.push(...(struct.flexible ? taggedSection(struct, paths) : noTaggedSection(paths)));
  return `function size${struct.id}(o) {
let s = ${fixed}, v, n = 0;
${lines.join('\n')}
return s;
}`;
}

function absentField(field: FieldLayout, paths: PathTable): string[] {
  if (field.ignorable) return [];
  const value = `o.${field.name}`;
  return [`if (${differs(value, field)}) throw cannotCarry(${paths.of(field.path)});`];
}

/**
 * Statements that add the bytes of the value in `v`, undefined for the default, to the variable `total`. Uses
 * `n`.
 */
export function sizeStatements(field: FieldLayout, total: string, paths: PathTable): string[] {
  const size = fixedSize(field.type);
  if (size !== null) return [`${total} += ${size};`];
  const none = field.nullable
    ? `${total} += ${nullSize(field)};`
    : `throw nullNotAllowed(${paths.of(field.path)});`;
  return [
    `if (v === undefined) v = ${defaultExpression(field)};`,
    `if (v === null) ${none}`,
    `else { ${contentSize(field, total, paths)} }`,
  ];
}

function nullSize(field: FieldLayout): number {
  if (field.type === 'struct' || field.flexible) return 1;
  return field.type === 'string' ? 2 : 4;
}

function contentSize(field: FieldLayout, total: string, paths: PathTable): string {
  switch (field.type) {
    case 'struct':
      return `${total} += ${field.nullable ? '1 + ' : ''}size${(field.element as StructLayout).id}(v);`;
    case 'array':
      return arraySize(field, total, paths);
    default:
      return spanSize(field.type as PrimitiveName, 'v', field, total, paths);
  }
}

/** A string, bytes or records in `value`, with its length. */
function spanSize(
  type: PrimitiveName,
  value: string,
  field: FieldLayout,
  total: string,
  paths: PathTable,
): string {
  const where = paths.of(field.path);
  const length = {
    string: `textSize(${value}, ${where})`,
    records: `recordsSize(${value}, ${where})`,
    bytes: `${value}.length`,
  }[type as string];
  return `n = ${length}; ${total} += ${prefixSize('n', type, field.flexible)} + n;`;
}

/** Bytes of the length or count before something that varies in size. */
function prefixSize(length: string, type: FieldLayout['type'], flexible: boolean): string {
  if (flexible) return `varintSize(${length} + 1)`;
  return type === 'string' ? '2' : '4';
}

function arraySize(field: FieldLayout, total: string, paths: PathTable): string {
  const element = field.element as PrimitiveName | StructLayout;
  const prefix = `${total} += ${prefixSize('v.length', 'array', field.flexible)};`;
  if (typeof element !== 'string') {
    return `${prefix}\nfor (let i = 0; i < v.length; i++) ${total} += size${element.id}(v[i]);`;
  }
  const size = fixedSize(element);
  if (size !== null) return `${prefix}\n${total} += v.length * ${size};`;
  return `${prefix}\nfor (let i = 0; i < v.length; i++) { ${spanSize(element, 'v[i]', field, total, paths)} }`;
}

function taggedSection(struct: StructLayout, paths: PathTable): string[] {
  const known = struct.tagged.map((field) => field.tag);
  const fields = struct.tagged.flatMap((field) => [
    `v = o.${field.name};`,
    `if (${differs('v', field)}) {
tags++;
let t = 0;
${sizeStatements(field, 't', paths).join('\n')}
s += ${unsignedVarintSize(field.tag ?? 0)} + varintSize(t) + t;
}`,
  ]);
  return [
    'let tags = 0;',
    ...fields,
    `v = o.unknownTaggedFields;
if (v !== undefined) { tags += v.length; s += unknownTagsSize(v, [${known.join(', ')}], ${paths.of('tagged fields')}); }
s += varintSize(tags);`,
  ];
}

function noTaggedSection(paths: PathTable): string[] {
  return [
    `v = o.unknownTaggedFields;
if (v !== undefined && v.length !== 0) throw cannotCarry(${paths.of('tagged fields')});`,
  ];
}
