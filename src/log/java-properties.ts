/**
 * The file format of Java's `Properties`: `key=value`, `key:value` or `key value` per line, `#` and `!` begin comments, a backslash at the end of a line
 * continues it and otherwise escapes (`\n`, `\t`, `\r`, `\f`, `\uXXXX`, anything else stands for itself).
 */

/** Keys and values; the last of equal keys wins. A malformed `\u` escape is kept as it stands. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const separator = separatorOf(line);
    const key = unescape(line.slice(0, separator));
    const value = line.slice(separator).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
    properties.set(key, unescape(value));
  }
  return properties;
}

/** One `key=value` line each, in order, after comment lines. */
export function formatProperties(
  comments: readonly string[],
  properties: Iterable<readonly [string, string]>,
): string {
  const lines = comments.map((comment) => `#${comment}`);
  for (const [key, value] of properties) lines.push(`${escape(key, true)}=${escape(value, false)}`);
  return `${lines.join('\n')}\n`;
}

/** Lines without comments and blank ones, continued ones joined. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let pending: string | null = null;
  for (const natural of text.split(/\r\n|\r|\n/)) {
    const trimmed = natural.replace(/^[ \t\f]+/, '');
    if (pending === null && (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith('!'))) continue;
    const line: string = (pending ?? '') + trimmed;
    const backslashes = /\\*$/.exec(trimmed)?.[0].length ?? 0;
    if (backslashes % 2 === 1) {
      pending = line.slice(0, -1);
    } else {
      lines.push(line);
      pending = null;
    }
  }
  if (pending !== null && pending !== '') lines.push(pending);
  return lines;
}

/** Index of the first unescaped separator, or the length. */
function separatorOf(line: string): number {
  for (let i = 0; i < line.length; i++) {
    const character = line.charAt(i);
    if (character === '\\') i++;
    else if (/[=: \t\f]/.test(character)) return i;
  }
  return line.length;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f' };

function unescape(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|(.))/gs,
    (_all, hex: string | undefined, other: string | undefined) =>
      hex === undefined
        ? (ESCAPES[other ?? ''] ?? other ?? '')
        : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function escape(text: string, isKey: boolean): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    const code = text.charCodeAt(i);
    const short = Object.keys(ESCAPES).find((name) => ESCAPES[name] === character);
    if (short !== undefined) out += `\\${short}`;
    else if (code < 0x20 || code > 0x7e) out += `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`;
    else if (/[\\=:#!]/.test(character) || (character === ' ' && (isKey || i === 0))) out += `\\${character}`;
    else out += character;
  }
  return out;
}
