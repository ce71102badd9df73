/**
 * Java's properties syntax, as `java.util.Properties` reads it: `key=value`, `key:value` or `key value`; `#` and `!` begin a comment line;
 * a
 * backslash escapes the next character (`\t`, `\n`, `\r`, `\f`, `\uXXXX`) or, at the end of a line, continues it on the next, whose
 * leading white
 * space does not count.
 */
import { BrokerError } from '../base/broker-error.ts';

/** One entry; a key may come more than once. */
export interface Property {
  readonly key: string;
  /** White space at its end counts. */
  readonly value: string;
  /** Number of the line it begins on, from 1. */
  readonly line: number;
}

/** Reads a text; entries in their order. @throws BrokerError `CONFIG_INVALID` for a malformed `\u`, naming `source` and the line. */
export function parseProperties(text: string, source: string): Property[] {
  return logicalLines(text).map(({ content, line }) => {
    const separator = findSeparator(content);
    const fail = () => {
      throw new BrokerError(
        'CONFIG_INVALID',
        `${source}, line ${line}: \\u must be followed by four hexadecimal digits`,
      );
    };
    const key = unescape(content.slice(0, separator.start), fail);
    return { key, value: unescape(content.slice(separator.end), fail), line };
  });
}

/** Writes entries in order, one line each, so that `parseProperties` and Java read the same back. Characters beyond ASCII are escaped. */
export function formatProperties(entries: Iterable<readonly [string, string]>): string {
  let text = '';
  for (const [key, value] of entries) text += `${escape(key, true)}=${escape(value, false)}\n`;
  return text;
}

/** Decodes a properties file: UTF-8, or Latin-1 (what Java takes it for) when it is not valid UTF-8. */
export function decodePropertiesFile(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    return content.toString('latin1');
  }
}

interface LogicalLine {
  readonly content: string;
  readonly line: number;
}

/** White space of the syntax; the end of a line is none. */
const isBlank = (character: string | undefined) =>
  character === ' ' || character === '\t' || character === '\f';

/**
 * Lines without comments, blanks at their start and continuations. As long as a line has nothing, what continues it begins anew. (Java
 * takes a text that
 * ends in a line of nothing but a backslash for one more entry with an empty key; here it is none.)
 */
function logicalLines(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  let content = '';
  let line = 0;
  for (const [i, natural] of `${text}\n`.split(/\r\n|\n|\r/).entries()) {
    const part = trimStart(natural);
    if (content === '') {
      if (part.startsWith('#') || part.startsWith('!')) continue;
      line = i + 1;
    }
    content += part;
    if (continues(content)) {
      content = content.slice(0, -1);
    } else {
      if (content !== '') lines.push({ content, line });
      content = '';
    }
  }
  return lines;
}

function trimStart(text: string): string {
  let start = 0;
  while (isBlank(text[start])) start++;
  return text.slice(start);
}

/** True if the line ends with a backslash that no other one escapes. */
function continues(content: string): boolean {
  let backslashes = 0;
  while (content[content.length - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

/** Where the key ends and the value starts: blanks, at most one `=` or `:`, blanks. */
function findSeparator(content: string): { start: number; end: number } {
  let start = 0;
  for (; start < content.length; start++) {
    const character = content[start];
    if (character === '\\') start++;
    else if (character === '=' || character === ':' || isBlank(character)) break;
  }
  let end = start;
  while (isBlank(content[end])) end++;
  if (content[end] === '=' || content[end] === ':') {
    end++;
    while (isBlank(content[end])) end++;
  }
  return { start, end };
}

const ESCAPED: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescape(text: string, fail: () => never): string {
  if (!text.includes('\\')) return text;
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    if (character !== '\\') {
      out += character;
      continue;
    }
    const next = text[++i] ?? '';
    if (next !== 'u') {
      out += ESCAPED[next] ?? next;
      continue;
    }
    const digits = text.slice(i + 1, i + 5);
    if (!/^[\da-fA-F]{4}$/.test(digits)) fail();
    out += String.fromCharCode(Number.parseInt(digits, 16));
    i += 4;
  }
  return out;
}

/** Escapes all that would read as something else; of blanks, all in a key and the first of a value. */
function escape(text: string, isKey: boolean): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i] ?? '';
    const code = text.charCodeAt(i);
    const short = SHORT[character];
    if (short !== undefined) out += short;
    else if (character === ' ') out += isKey || i === 0 ? '\\ ' : ' ';
    else if ('\\=:#!'.includes(character)) out += `\\${character}`;
    else if (code < 0x20 || code > 0x7e) out += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    else out += character;
  }
  return out;
}

const SHORT: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f' };
