import { assert } from '../base/assert.ts';
import type { Rule } from './rules.ts';
import {
  type ConfigType,
  type ConfigValue,
  describeType,
  doubleText,
  NO_VALUE,
  type Password,
  parseValue,
  type TypedValue,
} from './values.ts';

/** How much a config matters to most users. */
export type Importance = 'HIGH' | 'MEDIUM' | 'LOW';

/** Whether a broker config can change while the broker runs, and for whom. */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide' | 'dynamic-only';

/** One config. `V` is the type of its value in the program, null included where it may be without one. */
export interface ConfigDefinition<V extends ConfigValue | null = ConfigValue | null> {
  readonly type: ConfigType;
  /** The default; undefined where a value must be given. */
  readonly defaultValue: V | undefined;
  /** The default in Kafka's spelling; null: no value; undefined: must be given. */
  readonly defaultText: string | null | undefined;
  readonly rule: Rule | null;
  /** True for a LIST that must have an element when it is set. */
  readonly nonEmpty: boolean;
  readonly importance: Importance;
  readonly updateMode: UpdateMode;
  /** True for configs that are not for users; they are not listed unless set. */
  readonly internal: boolean;
  /** One sentence. */
  readonly doc: string;
}

/** Configs by name. */
export type ConfigTable = Readonly<Record<string, ConfigDefinition>>;

/** The type of a config's value. */
export type ValueOf<D> = D extends ConfigDefinition<infer V> ? V : never;

/** A row of a table: what is left out is null, `read-only`, false, and a missing `default` means that a value must be given. */
interface Row<D> {
  readonly default?: D;
  readonly rule?: Rule;
  readonly nonEmpty?: boolean;
  readonly importance: Importance;
  readonly updateMode?: UpdateMode;
  readonly internal?: boolean;
  readonly doc: string;
}

/** `T`, and null for a row whose default is null. */
type OrNull<T extends ConfigValue, R> = R extends { readonly default: null } ? T | null : T;

/** The largest LONG, past what a number holds exactly. */
export const LONG_MAX = '9223372036854775807';

/** A BOOLEAN config. */
export function boolean(row: Row<boolean>): ConfigDefinition<boolean> {
  return define<boolean>('BOOLEAN', row, row.default === undefined ? undefined : String(row.default));
}

/** An INT config: 32 bits. */
export function int<R extends Row<number | null>>(row: R): ConfigDefinition<OrNull<number, R>> {
  return define<OrNull<number, R>>('INT', row, textOf(row.default));
}

/** A SHORT config: 16 bits. */
export function short(row: Row<number>): ConfigDefinition<number> {
  return define<number>('SHORT', row, textOf(row.default));
}

/** A LONG config: 64 bits; a default past 2^53 is given as text. */
export function long<R extends Row<number | string | null>>(row: R): ConfigDefinition<OrNull<number, R>> {
  return define<OrNull<number, R>>('LONG', row, textOf(row.default));
}

/** A DOUBLE config. */
export function double(row: Row<number>): ConfigDefinition<number> {
  return define<number>('DOUBLE', row, row.default === undefined ? undefined : doubleText(row.default));
}

/** A STRING config. */
export function string<R extends Row<string | null>>(row: R): ConfigDefinition<OrNull<string, R>> {
  return define<OrNull<string, R>>('STRING', row, textOf(row.default));
}

/** A CLASS config: the name of a Java class. */
export function javaClass<R extends Row<string | null>>(row: R): ConfigDefinition<OrNull<string, R>> {
  return define<OrNull<string, R>>('CLASS', row, textOf(row.default));
}

/** A LIST config; the default as text with commas. */
export function list<R extends Row<string | null>>(row: R): ConfigDefinition<OrNull<readonly string[], R>> {
  return define<OrNull<readonly string[], R>>('LIST', row, textOf(row.default));
}

/** A PASSWORD config; it has no default. */
export function password(row: Row<null>): ConfigDefinition<Password | null> {
  return define<Password | null>('PASSWORD', row, null);
}

/** A typed value, or what is wrong with the text: a phrase to follow the config's name and value. */
export type Checked =
  | { readonly typed: TypedValue; readonly problem: null }
  | { readonly typed: null; readonly problem: string };

/** Reads a text as a value of the config, by its type and its rule. */
export function checkText(definition: ConfigDefinition, text: string): Checked {
  const typed = parseValue(definition.type, text);
  const { rule } = definition;
  if (typed === null || typed.value === null) {
    const both = rule === null ? '' : `, ${rule.allowed}`;
    return { typed: null, problem: `allowed: ${describeType(definition.type)}${both}` };
  }
  if (definition.nonEmpty && typed.text === '')
    return { typed: null, problem: 'allowed: a list that is not empty' };
  if (rule !== null && !rule.accepts(typed.value)) {
    return { typed: null, problem: `allowed: ${rule.allowed}` };
  }
  return { typed, problem: null };
}

/** The default as a typed value; null where a value must be given. */
export function defaultOf(definition: ConfigDefinition): TypedValue | null {
  if (definition.defaultText === undefined || definition.defaultValue === undefined) return null;
  if (definition.defaultText === null || definition.defaultValue === null) return NO_VALUE;
  return { value: definition.defaultValue, text: definition.defaultText };
}

function textOf(value: string | number | null | undefined): string | null | undefined {
  return typeof value === 'number' ? String(value) : value;
}

function define<V extends ConfigValue | null>(
  type: ConfigType,
  row: Omit<Row<unknown>, 'default'>,
  defaultText: string | null | undefined,
): ConfigDefinition<V> {
  return {
    type,
    defaultText,
    defaultValue: defaultValue(type, defaultText) as V | undefined,
    rule: row.rule ?? null,
    nonEmpty: row.nonEmpty ?? false,
    importance: row.importance,
    updateMode: row.updateMode ?? 'read-only',
    internal: row.internal ?? false,
    doc: row.doc,
  };
}

function defaultValue(type: ConfigType, text: string | null | undefined): ConfigValue | null | undefined {
  if (text === null || text === undefined) return text;
  const typed = parseValue(type, text);
  assert(typed !== null && typed.text === text, `default ${text} is not written as a ${type}`);
  return typed.value;
}
