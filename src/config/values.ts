/** Values of configs: from text and back, by Kafka's rules for each type. */

/** Kafka's names of the types. */
export type ConfigType =
  | 'BOOLEAN'
  | 'STRING'
  | 'INT'
  | 'SHORT'
  | 'LONG'
  | 'DOUBLE'
  | 'LIST'
  | 'CLASS'
  | 'PASSWORD';

/** A text that no message, log line or answer may show. */
export class Password {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself, for the one place that needs it. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }
}

/** What stands for a password wherever values are shown. */
export const HIDDEN = '[hidden]';

/** A value in the program. A LONG past 2^53 is the nearest number; its exact digits stay in the text beside it. */
export type ConfigValue = boolean | number | string | readonly string[] | Password;

/** A value and its text in Kafka's own spelling (`007` becomes `7`; a password is `[hidden]`). Both null: no value. */
export type TypedValue =
  | { readonly value: ConfigValue; readonly text: string }
  | { readonly value: null; readonly text: null };

/** No value at all. */
export const NO_VALUE: TypedValue = { value: null, text: null };

const INTEGER_BITS = { SHORT: 16, INT: 32, LONG: 64 } as const;

/** Reads a text as a value of the type; white space around it does not count. Null if it is not of the type. */
export function parseValue(type: ConfigType, text: string): TypedValue | null {
  const trimmed = text.trim();
  switch (type) {
    case 'BOOLEAN':
      return parseBoolean(trimmed);
    case 'SHORT':
    case 'INT':
    case 'LONG':
      return parseInteger(trimmed, INTEGER_BITS[type]);
    case 'DOUBLE':
      return parseDouble(trimmed);
    case 'LIST':
      return parseList(trimmed);
    case 'PASSWORD':
      return { value: new Password(trimmed), text: HIDDEN };
    case 'STRING':
    case 'CLASS':
      return { value: trimmed, text: trimmed };
  }
}

/** What a type takes, in words, to follow "allowed: ". */
export function describeType(type: ConfigType): string {
  switch (type) {
    case 'BOOLEAN':
      return 'true or false';
    case 'SHORT':
    case 'INT':
      return `a whole number from ${-(2 ** (INTEGER_BITS[type] - 1))} to ${2 ** (INTEGER_BITS[type] - 1) - 1}`;
    case 'LONG':
      return 'a whole number of 64 bits';
    case 'DOUBLE':
      return 'a number';
    case 'LIST':
      return 'words separated by commas, none of them empty or there twice';
    case 'STRING':
    case 'CLASS':
    case 'PASSWORD':
      return 'any text';
  }
}

function parseBoolean(text: string): TypedValue | null {
  const lower = text.toLowerCase();
  if (lower !== 'true' && lower !== 'false') return null;
  return { value: lower === 'true', text: lower };
}

/** Whole numbers of up to 64 bits. Configs are read rarely, so BigInt may check the range. */
function parseInteger(text: string, bits: number): TypedValue | null {
  if (!/^[+-]?\d{1,40}$/.test(text)) return null;
  const exact = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (BigInt.asIntN(bits, exact) !== exact) return null;
  return { value: Number(exact), text: exact.toString() };
}

function parseDouble(text: string): TypedValue | null {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? { value, text: doubleText(value) } : null;
}

/** Elements between commas, none empty and none twice. */
function parseList(text: string): TypedValue | null {
  if (text === '') return { value: [], text: '' };
  const items = text.split(',').map((item) => item.trim());
  return items.includes('') || new Set(items).size < items.length
    ? null
    : { value: items, text: items.join(',') };
}

/** A double as Java writes it: always with a fraction, and with an exponent below 10^-3 and from 10^7 on. */
export function doubleText(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}

/** The text of a list without the elements that come again; files of brokers may have such. */
export function withoutRepeats(list: string): string {
  return [...new Set(list.split(',').map((item) => item.trim()))].join(',');
}
