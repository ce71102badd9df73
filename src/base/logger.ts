import { describeError, isOperatingError, printable } from './printable.ts';

/** How much a line matters; a logger drops what lies below its own level. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** All levels, the least important first. */
export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** What a line says beside its message. Values may come from clients: they are escaped and bounded here. */
export type LogFields = Record<string, unknown>;

/** Writes one line per call. Messages are constant sentences; what varies goes into fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line; a line's own fields win. */
  child(fields: LogFields): Logger;
}

/** Where lines go and how they look. */
export interface LoggerOptions {
  /** Takes one finished line, without its line end. Must not throw. */
  readonly sink: (line: string) => void;
  /** Wall clock, ms since the Unix epoch. */
  readonly wallMs: () => number;
  /** `human`: time, level, message, key=value; `json`: one object a line. */
  readonly format: 'human' | 'json';
  /** Lines below it are dropped; `info` when left out. */
  readonly level?: LogLevel;
  /** ANSI colours, for the human form on a terminal only. */
  readonly colour?: boolean;
}

/** Longest message, in UTF-16 units; the rest is cut and counted. */
export const MAX_MESSAGE_LENGTH = 2000;
/** Longest value of one field; a stack trace may take `MAX_MESSAGE_LENGTH`. */
export const MAX_FIELD_LENGTH = 400;
/** Most fields of one line; further ones are dropped. */
export const MAX_FIELDS = 32;

/** Makes a logger over a sink and a clock. */
export function createLogger(options: LoggerOptions): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level ?? 'info');
  const format = options.format === 'json' ? jsonLine : options.colour ? colouredLine : humanLine;
  return new LineLogger({}, (level, message, inherited, fields) => {
    if (LOG_LEVELS.indexOf(level) < threshold) return;
    options.sink(format(isoTime(options.wallMs()), level, message, flatten({ ...inherited, ...fields })));
  });
}

/** Drops everything. */
export const nullLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => nullLogger,
};

/** Takes a line: the fields of the logger it was written to, and its own, which win. Merging them is left to who really writes the line. */
export type WriteLine = (
  level: LogLevel,
  message: string,
  inherited: LogFields,
  fields: LogFields | undefined,
) => void;

/** Turns the calls of the interface into calls of one function; `limitRepeats` stands on it too. */
export class LineLogger implements Logger {
  readonly #inherited: LogFields;
  readonly #write: WriteLine;

  /** @param inherited fields of every line. */
  constructor(inherited: LogFields, write: WriteLine) {
    this.#inherited = inherited;
    this.#write = write;
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, this.#inherited, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, this.#inherited, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, this.#inherited, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, this.#inherited, fields);
  }

  child(fields: LogFields): Logger {
    return new LineLogger({ ...this.#inherited, ...fields }, this.#write);
  }
}

/** A value as it can stand in a line: short text, or a number or boolean that JSON keeps as such. */
type FlatValue = string | number | boolean | null;

/** Makes every field printable and bounded; a bug (an error without a system's code) also gets its stack. */
function flatten(fields: LogFields): [string, FlatValue][] {
  const out: [string, FlatValue][] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (out.length >= MAX_FIELDS) break;
    out.push([printable(name, 64), flatValue(value)]);
    if (value instanceof Error && !isOperatingError(value) && value.stack !== undefined) {
      out.push([`${printable(name, 64)}Stack`, printable(stackFrames(value.stack), MAX_MESSAGE_LENGTH)]);
    }
  }
  return out;
}

function flatValue(value: unknown): FlatValue {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  return printable(describe(value), MAX_FIELD_LENGTH);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return describeError(value);
  if (Buffer.isBuffer(value)) return `${value.length} bytes`;
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value === 'function') return '[function]';
  try {
    return (
      JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? ''
    );
  } catch {
    return '[unprintable]';
  }
}

/** The lines of a stack below its message, which the field itself tells already. */
function stackFrames(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .map((line) => line.trim())
    .join('\n');
}

/** ISO 8601 in UTC; a clock beyond the range of dates gives its number. */
function isoTime(wallMs: number): string {
  return Math.abs(wallMs) <= 8.64e15 ? new Date(wallMs).toISOString() : String(wallMs);
}

type FlatFields = readonly [string, FlatValue][];

function humanLine(time: string, level: LogLevel, message: string, fields: FlatFields): string {
  let line = `${time} ${level.toUpperCase().padEnd(5)} ${printable(message, MAX_MESSAGE_LENGTH)}`;
  for (const [name, value] of fields) line += ` ${name}=${quoted(value)}`;
  return line;
}

const COLOURS: Record<LogLevel, string> = {
  debug: '\x1b[2m',
  info: '\x1b[32m',
  warn: '\x1b[33m',
  error: '\x1b[31m',
};
const DIM = '\x1b[2m';
const PLAIN = '\x1b[0m';

function colouredLine(time: string, level: LogLevel, message: string, fields: FlatFields): string {
  const name = `${COLOURS[level]}${level.toUpperCase().padEnd(5)}${PLAIN}`;
  let line = `${DIM}${time}${PLAIN} ${name} ${printable(message, MAX_MESSAGE_LENGTH)}`;
  for (const [field, value] of fields) line += ` ${DIM}${field}=${PLAIN}${quoted(value)}`;
  return line;
}

/** Quotes a text that would not read as one word. */
function quoted(value: FlatValue): string {
  if (typeof value !== 'string') return String(value);
  return /^[^\s"=]+$/.test(value) ? value : `"${value.replaceAll('"', '\\"')}"`;
}

/** Names that a line has of its own; a field of such a name is written with a trailing underscore. */
const OWN_NAMES = new Set(['time', 'level', 'message']);

function jsonLine(time: string, level: LogLevel, message: string, fields: FlatFields): string {
  const line: Record<string, FlatValue> = { time, level, message: printable(message, MAX_MESSAGE_LENGTH) };
  for (const [name, value] of fields) line[OWN_NAMES.has(name) ? `${name}_` : name] = value;
  return JSON.stringify(line);
}
