import { sizeStatements } from './compile-sizer.ts';
import { differs } from './default-test.ts';
import { defaultExpression, type FieldLayout, fixedSize, type StructLayout } from './layout.ts';
import type { PathTable } from './path-table.ts';
import type { PrimitiveName } from './schema.ts';

/**
 * The write pass: `write0(b, p, o)` writes a struct at position `p` of buffer `b` and returns the position
 * after it. The size pass has been over the same value, so there is room, and no null where none may be.
 */
export function writerSource(struct: StructLayout, paths: PathTable): string {
  const lines = struct.inline.flatMap((field) => [`v = o.${field.name};`, ...writeStatements(field, paths)]);
  if (struct.flexible) lines.push(...taggedSection(struct, paths));
  return `function write${struct.id}(b, p, o) {
let v, n = 0, high = 0, low = 0;
${lines.join('\n')}
return p;
}`;
}

/** Statements that write the value in `v`, undefined for the default. */
function writeStatements(field: FieldLayout, paths: PathTable): string[] {
  const given = `if (v === undefined) v = ${defaultExpression(field)};`;
  if (fixedSize(field.type) !== null) {
    return [given, fixedStatement(field.type as PrimitiveName, 'v', paths.of(field.path))];
  }
  const content = contentStatement(field, paths);
  if (!field.nullable) return [given, content];
  return [given, `if (v === null) { ${nullStatement(field)} } else { ${content} }`];
}

function nullStatement(field: FieldLayout): string {
  if (field.type === 'struct') return field.tag === null ? 'b[p++] = 255;' : 'b[p++] = 0;';
  if (field.flexible) return 'b[p++] = 0;';
  return field.type === 'string' ? int16Bytes('-1') : int32Bytes('-1');
}

/** Writes a value of fixed size from the expression `value`. */
function fixedStatement(type: PrimitiveName, value: string, where: string): string {
  const refuse = `throw badValue(${where}, ${value});`;
  switch (type) {
    case 'bool':
      return `b[p++] = ${value} ? 1 : 0;`;
    case 'int8':
      return `if (${value} !== (${value} << 24 >> 24)) ${refuse}\nb[p++] = ${value};`;
    case 'int16':
      return `if (${value} !== (${value} << 16 >> 16)) ${refuse}\n${int16Bytes(value)}`;
    case 'uint16':
      return `if (${value} !== (${value} & 65535)) ${refuse}\n${int16Bytes(value)}`;
    case 'int32':
      return `if (${value} !== (${value} | 0)) ${refuse}\n${int32Bytes(value)}`;
    case 'uint32':
      return `if (${value} !== (${value} >>> 0)) ${refuse}\n${int32Bytes(value)}`;
    case 'int64':
      return int64Statement(value, refuse);
    case 'wideInt64':
      return `p = writeWide(b, p, ${value}, ${where});`;
    case 'float64':
      return `p = b.writeDoubleBE(${value}, p);`;
    default:
      return `p = writeUuid(b, p, ${value});`;
  }
}

function int16Bytes(value: string): string {
  return `b[p] = ${value} >> 8; b[p + 1] = ${value}; p += 2;`;
}

function int32Bytes(value: string): string {
  return `b[p] = ${value} >> 24; b[p + 1] = ${value} >> 16; b[p + 2] = ${value} >> 8; b[p + 3] = ${value}; p += 4;`;
}

function int64Statement(value: string, refuse: string): string {
  return `if (!(${value} >= ${-(2 ** 53)} && ${value} < ${2 ** 53})) ${refuse}
high = Math.floor(${value} / 4294967296); low = ${value} - high * 4294967296;
if (low !== (low >>> 0)) ${refuse}
${int32Bytes('high')}
${int32Bytes('low')}`;
}

function contentStatement(field: FieldLayout, paths: PathTable): string {
  switch (field.type) {
    case 'struct': {
      const marker = field.nullable ? 'b[p++] = 1;\n' : '';
      return `${marker}p = write${(field.element as StructLayout).id}(b, p, v);`;
    }
    case 'array':
      return arrayStatement(field, paths);
    default:
      return spanStatement(field.type as PrimitiveName, 'v', field.flexible);
  }
}

/** A string, bytes or records in `value`, with its length. */
function spanStatement(type: PrimitiveName, value: string, flexible: boolean): string {
  switch (type) {
    case 'string':
      return `p = ${flexible ? 'writeCompactText' : 'writeText'}(b, p, ${value});`;
    case 'records':
      return `n = recordsLength(${value});\n${prefix('n', flexible)}\np = writeRecords(b, p, ${value});`;
    default:
      return `${prefix(`${value}.length`, flexible)}\np = writeBytes(b, p, ${value});`;
  }
}

/** A length or count of 32 bits, or plus one as a varint. */
function prefix(length: string, flexible: boolean): string {
  return flexible ? `p = writeVarint(b, p, ${length} + 1);` : `n = ${length}; ${int32Bytes('n')}`;
}

function arrayStatement(field: FieldLayout, paths: PathTable): string {
  const element = field.element as PrimitiveName | StructLayout;
  return `${prefix('v.length', field.flexible)}
for (let i = 0; i < v.length; i++) {
const e = v[i];
${elementStatement(field, element, paths)}
}`;
}

function elementStatement(
  field: FieldLayout,
  element: PrimitiveName | StructLayout,
  paths: PathTable,
): string {
  if (typeof element !== 'string') return `p = write${element.id}(b, p, e);`;
  if (fixedSize(element) !== null) return fixedStatement(element, 'e', paths.of(field.path));
  return spanStatement(element, 'e', field.flexible);
}

/** The tagged section in the order of tags, unknown fields between the known. */
function taggedSection(struct: StructLayout, paths: PathTable): string[] {
  const lines = ['const unknown = o.unknownTaggedFields;'];
  if (struct.tagged.length === 0) {
    lines.push(
      `if (unknown === undefined) { b[p++] = 0; return p; }`,
      'p = writeVarint(b, p, unknown.length);',
    );
  } else {
    lines.push('let tags = unknown === undefined ? 0 : unknown.length;');
    for (const field of struct.tagged) {
      const value = `t${field.index}`;
      lines.push(`const ${value} = o.${field.name}, has${field.index} = ${differs(value, field)};`);
      lines.push(`if (has${field.index}) tags++;`);
    }
    lines.push('p = writeVarint(b, p, tags);', 'if (tags === 0) return p;');
  }
  let from = 0;
  for (const field of struct.tagged) {
    const tag = field.tag ?? 0;
    if (tag > from) lines.push(unknownBetween(from, tag));
    lines.push(taggedField(field, tag, paths));
    from = tag + 1;
  }
  lines.push(unknownBetween(from, Number.POSITIVE_INFINITY));
  return lines;
}

function unknownBetween(from: number, to: number): string {
  return `if (unknown !== undefined) p = writeUnknownTags(b, p, unknown, ${from}, ${to});`;
}

function taggedField(field: FieldLayout, tag: number, paths: PathTable): string {
  return `if (has${field.index}) {
v = t${field.index};
let t = 0;
${sizeStatements(field, 't', paths).join('\n')}
p = writeVarint(b, p, ${tag});
p = writeVarint(b, p, t);
${writeStatements(field, paths).join('\n')}
}`;
}
