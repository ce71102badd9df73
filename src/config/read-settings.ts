/** From settings as texts to typed values: unknown names, values of the wrong type or out of range. */
import { brokerConfigByName, brokerConfigNames } from './broker-configs.ts';
import { checkText, type ConfigDefinition } from './definition.ts';
import { nearestName } from './nearest.ts';
import { complaint, type Setting, type Settings } from './settings.ts';
import { topicConfigs } from './tables/topic.ts';
import { type TypedValue, withoutRepeats } from './values.ts';

/** What settings come to. */
export interface ReadSettings {
  /** Values by name; a config of one listener keeps its prefix `listener.name.{name}.`. */
  readonly values: ReadonlyMap<string, TypedValue>;
  /** One line for each setting that has no effect. */
  readonly warnings: readonly string[];
  /** One line for each setting that stops the start. */
  readonly problems: readonly string[];
}

/** Prefixes of settings whose names only a plug-in knows; two of them can be renamed by a setting. */
const PLUGIN_PREFIXES: readonly { readonly fallback: string; readonly setting: string | null }[] = [
  { fallback: 'config.providers.', setting: null },
  { fallback: 'rlmm.config.', setting: 'remote.log.metadata.manager.impl.prefix' },
  { fallback: 'rsm.config.', setting: 'remote.log.storage.manager.impl.prefix' },
];

const LISTENER_PREFIX = 'listener.name.';

/** Longest name that is compared with the known ones; a longer one is no misspelling of any. */
const MAX_COMPARED_LENGTH = 100;

/** Reads all settings; never throws. */
export function readSettings(settings: Settings): ReadSettings {
  const values = new Map<string, TypedValue>();
  const warnings: string[] = [];
  const problems: string[] = [];
  const pluginPrefixes = PLUGIN_PREFIXES.map(
    ({ fallback, setting }) => (setting && settings.get(setting)?.text) || fallback,
  );
  for (const [name, setting] of settings) {
    const definition = definitionOf(name);
    if (definition === undefined) {
      if (!pluginPrefixes.some((prefix) => name.startsWith(prefix))) warnings.push(unknown(name, setting));
      continue;
    }
    if (definition.updateMode === 'dynamic-only') {
      warnings.push(`${name} (${setting.origin}) is ignored: it can only be set while the broker runs`);
      continue;
    }
    const text = definition.type === 'LIST' ? withoutRepeats(setting.text) : setting.text;
    const { typed, problem } = checkText(definition, text);
    if (typed !== null) values.set(name, typed);
    else problems.push(complaint(name, shown(definition, setting), problem));
  }
  return { values, warnings, problems };
}

/** The definition of a name, with or without the prefix of a listener (and of a SASL mechanism after it). */
function definitionOf(name: string): ConfigDefinition | undefined {
  if (!name.startsWith(LISTENER_PREFIX)) return brokerConfigByName(name);
  for (let dot = name.indexOf('.', LISTENER_PREFIX.length); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const definition = brokerConfigByName(name.slice(dot + 1));
    if (definition !== undefined) return definition;
  }
  return undefined;
}

/** A setting as a message may show it: passwords are not. */
function shown(definition: ConfigDefinition, setting: Setting): Setting {
  return definition.type === 'PASSWORD' ? { ...setting, text: '[hidden]' } : setting;
}

function unknown(name: string, setting: Setting): string {
  const suggestion = suggest(name.slice(0, MAX_COMPARED_LENGTH));
  const hint = suggestion === null ? '' : `; did you mean ${suggestion}?`;
  return `Unknown setting ${name} (${setting.origin}) is ignored${hint}`;
}

/** A topic's name for a config leads to the broker's, anything else to what is spelled alike. */
function suggest(name: string): string | null {
  if (Object.hasOwn(topicConfigs, name)) {
    const topicConfig = topicConfigs[name as keyof typeof topicConfigs];
    return topicConfig.serverDefaults[0] ?? null;
  }
  return nearestName(name, brokerConfigNames());
}
