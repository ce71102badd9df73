import { ZERO_UUID, uuidFromBytes } from '../base/uuid.ts';
import { varintEnd } from '../base/varint.ts';
import * as decoding from './decoding.ts';
import { evaluate } from './generated-code.ts';
import {
  defaultExpression,
  type FieldLayout,
  fixedSize,
  type MessageLayout,
  smallestSize,
  type StructLayout,
} from './layout.ts';
import { PathTable } from './path-table.ts';
import { MAX_INT64, type PrimitiveName } from './schema.ts';

/**
 * Decodes the message in `[start, end)` of `buffer` and sets `result.lastEnd` to the position after it.
 * @throws ProtocolError when the bytes are not such a message.
 */
export type Decoder = (
  buffer: Buffer,
  start: number,
  end: number,
  result: { lastEnd: number },
) => Record<string, unknown>;

/**
 * Makes the decoder of a message at one version. The generated source has one function per struct:
 *
 *     function read0(b, p, end) { …; at = p; return { topic: f0, partitions: f1 }; }
 *
 * where `b` is the buffer, `p` the position, `f0…` the fields, and `at` hands the position on to the caller;
 * `objects` counts down. Fields of fixed size that stand side by side share one bounds check. Nothing is
 * allocated for a count or length before it was compared with the bytes left.
 */
export function compileDecoder(layout: MessageLayout): Decoder {
  const paths = new PathTable(layout);
  const readers = layout.structs.map((struct) => readerSource(struct, paths));
  const source = `let at = 0, objects = 0;
${readers.join('\n')}
return function decode(b, start, end, result) {
  objects = ${decoding.MAX_OBJECTS};
  const message = read${layout.root.id}(b, start, end);
  result.lastEnd = at;
  return message;
};`;
  const bindings = {
    ZERO: ZERO_UUID,
    EMPTY: decoding.EMPTY_BYTES,
    uuid: uuidFromBytes,
    varintEnd,
    ...decoding,
    W: paths.texts,
  };
  return evaluate(bindings, source) as Decoder;
}

function readerSource(struct: StructLayout, paths: PathTable): string {
  const tagged = struct.tagged.map((field) => `let f${field.index} = ${defaultExpression(field)};`);
  const entries = struct.fields.map((field) =>
    field.present ? `${field.name}: f${field.index}` : `${field.name}: ${defaultExpression(field)}`,
  );
  const body = [
    ...inlineFields(struct, paths),
    ...tagged,
    ...(struct.flexible ? taggedSection(struct, paths) : []),
  ];
  return `function read${struct.id}(b, p, end) {
let n = 0, high = 0;
${body.join('\n')}
const value = { ${entries.join(', ')} };
${struct.flexible ? 'if (unknown !== null) value.unknownTaggedFields = unknown;' : ''}
at = p;
return value;
}`;
}

/** The fields in line, runs of fixed size under one bounds check. */
function inlineFields(struct: StructLayout, paths: PathTable): string[] {
  const lines: string[] = [];
  let run: FieldLayout[] = [];
  const flush = (): void => {
    lines.push(...fixedRun(run, paths));
    run = [];
  };
  for (const field of struct.inline) {
    if (fixedSize(field.type) !== null) {
      run.push(field);
      continue;
    }
    flush();
    lines.push(`let f${field.index};`, variableField(field, 'end', paths));
  }
  flush();
  return lines;
}

function fixedRun(run: readonly FieldLayout[], paths: PathTable): string[] {
  const [first] = run;
  if (first === undefined) return [];
  const lines = [`let ${run.map((field) => `f${field.index}`).join(', ')};`];
  let size = 0;
  for (const field of run) {
    lines.push(fixedField(field, size, `f${field.index}`, paths));
    size += fixedSize(field.type) ?? 0;
  }
  return [`if (end - p < ${size}) throw truncated(${paths.of(first.path)});`, ...lines, `p += ${size};`];
}

/** Reads a field of fixed size at `p + offset`, whose bytes are known to be there. */
function fixedField(field: FieldLayout, offset: number, target: string, paths: PathTable): string {
  if (field.type !== 'int64') {
    return `${target} = ${fixedExpression(field.type as PrimitiveName, offset)};`;
  }
  return int64Statement(offset, target, field.path, paths, field.stated === MAX_INT64);
}

function int64Statement(
  offset: number,
  target: string,
  path: string,
  paths: PathTable,
  mayBeMax: boolean,
): string {
  const low = `(${int32At(offset + 4)} >>> 0)`;
  const exact = `if ((high + 0x200000) >>> 0 > 0x3fffff) throw tooWide(${paths.of(path)}, b, p + ${offset});
${target} = high * 4294967296 + ${low};`;
  if (!mayBeMax) return `high = ${int32At(offset)};\n${exact}`;
  return `high = ${int32At(offset)};
if (high === 0x7fffffff && ${low} === 0xffffffff) ${target} = ${MAX_INT64};
else { ${exact} }`;
}

function fixedExpression(type: PrimitiveName, offset: number): string {
  switch (type) {
    case 'bool':
      return `${byteAt(offset)} !== 0`;
    case 'int8':
      return `${byteAt(offset)} << 24 >> 24`;
    case 'int16':
      return `(${byteAt(offset)} << 24 | ${byteAt(offset + 1)} << 16) >> 16`;
    case 'uint16':
      return `${byteAt(offset)} << 8 | ${byteAt(offset + 1)}`;
    case 'int32':
      return int32At(offset);
    case 'uint32':
      return `${int32At(offset)} >>> 0`;
    case 'wideInt64':
      return `b.readBigInt64BE(p + ${offset})`;
    case 'float64':
      return `b.readDoubleBE(p + ${offset})`;
    default:
      return `uuid(b, p + ${offset})`;
  }
}

function byteAt(offset: number): string {
  return offset === 0 ? 'b[p]' : `b[p + ${offset}]`;
}

function int32At(offset: number): string {
  const [b0, b1, b2, b3] = [0, 1, 2, 3].map((i) => byteAt(offset + i));
  return `(${b0} << 24 | ${b1} << 16 | ${b2} << 8 | ${b3})`;
}

/** Reads any other field at `p` into `f{index}`; `end` names the variable that bounds it. */
function variableField(field: FieldLayout, end: string, paths: PathTable): string {
  const target = `f${field.index}`;
  if (field.type === 'struct') return structField(field, target, end, paths);
  const where = paths.of(field.path);
  const none = field.nullable ? `${target} = null;` : `throw unexpectedNull(${where});`;
  const content =
    field.type === 'array'
      ? arrayContent(field, target, end, paths)
      : spanContent(field.type, target, end, where);
  return `${readPrefix(field.type, field.flexible, end, where)}
if (n < 0) { ${none} }
else { ${content} }`;
}

/** Reads a length or count into `n`; negative means null. */
function readPrefix(type: FieldLayout['type'], flexible: boolean, end: string, where: string): string {
  if (flexible) return `${readVarint('n', end, where)}\nn--;`;
  const size = type === 'string' ? 2 : 4;
  const value = type === 'string' ? fixedExpression('int16', 0) : int32At(0);
  return `if (${end} - p < ${size}) throw truncated(${where});\nn = ${value};\np += ${size};`;
}

/** Reads an unsigned varint, of one byte nearly always. */
function readVarint(target: string, end: string, where: string): string {
  return `if (p < ${end} && b[p] < 128) ${target} = b[p++];
else { ${target} = readLength(b, p, ${end}, ${where}); p = varintEnd(); }`;
}

/** The `n` bytes of a string, bytes or records. */
function spanContent(type: FieldLayout['type'], target: string, end: string, where: string): string {
  const limit = type === 'string' ? ` || n > ${decoding.MAX_STRING_BYTES}` : '';
  const read = { string: 'readText(b, p, p + n)', bytes: 'copyBytes(b, p, p + n)' }[type as string];
  return `if (n > ${end} - p${limit}) throw badLength(${where}, n);
${target} = ${read ?? 'b.subarray(p, p + n)'};
p += n;`;
}

/** The `n` elements of an array. The count is held against the bytes left before there is an array. */
function arrayContent(field: FieldLayout, target: string, end: string, paths: PathTable): string {
  const element = field.element as PrimitiveName | StructLayout;
  const where = paths.of(field.path);
  const check = `if (n * ${smallestSize(element, field.flexible)} > ${end} - p) throw badLength(${where}, n);`;
  const isObject = typeof element !== 'string' || fixedSize(element) === null;
  const count = isObject ? `if ((objects -= n) < 0) throw tooMany(${where});` : '';
  return `${check}
${count}
${target} = [];
for (let i = 0, count = n; i < count; i++) {
${elementStatement(field, element, `${target}[i]`, end, paths)}
}`;
}

function elementStatement(
  field: FieldLayout,
  element: PrimitiveName | StructLayout,
  target: string,
  end: string,
  paths: PathTable,
): string {
  if (typeof element !== 'string') return `${target} = read${element.id}(b, p, ${end});\np = at;`;
  const size = fixedSize(element);
  if (element === 'int64') return `${int64Statement(0, target, field.path, paths, false)}\np += 8;`;
  if (size !== null) return `${target} = ${fixedExpression(element, 0)};\np += ${size};`;
  const where = paths.of(field.path);
  return `${readPrefix(element, field.flexible, end, where)}
if (n < 0) throw unexpectedNull(${where});
${spanContent(element, target, end, where)}`;
}

function structField(field: FieldLayout, target: string, end: string, paths: PathTable): string {
  const read = `${target} = read${(field.element as StructLayout).id}(b, p, ${end});\np = at;`;
  if (!field.nullable) return read;
  const where = paths.of(field.path);
  if (field.tag !== null) {
    return `${readVarint('n', end, where)}
if (n === 0) ${target} = null; else { ${read} }`;
  }
  return `if (p >= ${end}) throw truncated(${where});
if (b[p++] > 127) ${target} = null; else { ${read} }`;
}

/** The tagged section: known tags into their variables, others into `unknown`. */
function taggedSection(struct: StructLayout, paths: PathTable): string[] {
  const where = paths.of('tagged fields');
  const cases = struct.tagged.map((field) => `case ${field.tag}: {\n${taggedField(field, paths)}\nbreak;\n}`);
  return [
    'let unknown = null, count = 0;',
    readVarint('count', 'end', where),
    `for (; count > 0; count--) {
let tag = 0;
${readVarint('tag', 'end', where)}
${readVarint('n', 'end', where)}
if (n > end - p) throw badLength(${where}, n);
const stop = p + n;
switch (tag) {
${cases.join('\n')}
default:
if (--objects < 0) throw tooMany(${where});
(unknown ??= []).push({ tag, data: copyBytes(b, p, stop) });
p = stop;
}
if (p !== stop) throw badTagSize(${where}, tag);
}`,
  ];
}

/** The content of a known tag, bounded by `stop`. */
function taggedField(field: FieldLayout, paths: PathTable): string {
  const size = fixedSize(field.type);
  if (size === null) return variableField(field, 'stop', paths);
  return `if (stop - p < ${size}) throw truncated(${paths.of(field.path)});
${fixedField(field, 0, `f${field.index}`, paths)}
p += ${size};`;
}
