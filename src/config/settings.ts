/** What users have set: names and texts with where they come from, in layers, not yet looked at. */
import { BrokerError } from '../base/broker-error.ts';
import { printable } from '../base/printable.ts';

/** One setting. */
export interface Setting {
  readonly text: string;
  /** Where it was set, for messages: `server.properties, line 3`, `KAFKA_NODE_ID`, `--set`. */
  readonly origin: string;
}

/** Settings by name. */
export type Settings = ReadonlyMap<string, Setting>;

/** Lays settings over each other; a later layer wins. */
export function overlay(...layers: readonly Settings[]): Settings {
  return new Map(layers.flatMap((layer) => [...layer]));
}

/** Settings of one origin. */
export function settingsFrom(values: Readonly<Record<string, string>>, origin: string): Settings {
  return new Map(Object.entries(values).map(([name, text]) => [name, { text, origin }]));
}

/** Longest value that a message repeats. */
const MAX_SHOWN_LENGTH = 200;

/** A complaint about a setting, complete in itself: `log.roll.hours = "0" (KAFKA_LOG_ROLL_HOURS) is not valid; allowed: 1 or more`. */
export function complaint(name: string, setting: Setting, problem: string): string {
  return `${name} = "${printable(setting.text, MAX_SHOWN_LENGTH)}" (${setting.origin}) is not valid; ${problem}`;
}

/** The error that stops a start. Its message has one line per problem. */
export function configError(problems: readonly string[]): BrokerError {
  return new BrokerError('CONFIG_INVALID', problems.join('\n'));
}
