/**
 * Characters that could break a line apart, drive a terminal, or show text in another order than it is: controls, format characters
 * (bidirectional
 * marks, zero-width ones), line and paragraph separators, lone surrogates.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text as it can stand in one line of a log or on a terminal, whoever supplied it: unprintable characters as escapes (`\n`, `\u001b`), cut
 * to
 * `maxLength` UTF-16 units before escaping, with the number of units that were dropped.
 */
export function printable(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? text.slice(0, maxLength) : text;
  const safe = cut.replace(UNPRINTABLE, escapeCharacter);
  return cut === text ? safe : `${safe}…(+${text.length - maxLength})`;
}

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES[character];
  if (short !== undefined) return short;
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`;
}

/**
 * True for errors that say all there is to say in their message: those with a code of the system (`EIO`) or of the broker
 * (`CONFIG_INVALID`).
 * False for bugs, whose stack matters; Node's own `ERR_…` codes mean wrong use of its API and count as such.
 */
export function isOperatingError(error: Error): boolean {
  const code: unknown = (error as { code?: unknown }).code;
  return typeof code === 'string' && !code.startsWith('ERR_');
}

/** Longest chain of causes that is told. */
const MAX_CAUSES = 4;

/** An error's message and those of its causes that it does not repeat already; a bug's with the name of its class. May hold unprintable characters. */
export function describeError(error: Error): string {
  let text = '';
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    const named = isOperatingError(current) ? current.message : `${current.name}: ${current.message}`;
    if (depth === 0) text = named;
    else if (!text.includes(named)) text += ` (because ${named})`;
    current = current.cause;
  }
  return text;
}
