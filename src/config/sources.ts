/** All that a start is told, laid over each other: development profile or file, environment, flags. */
import { environmentSettings } from './environment.ts';
import { developmentSettings } from './development.ts';
import { formatEndpoint, parseEndpoint } from './listeners.ts';
import { decodePropertiesFile, parseProperties } from './properties.ts';
import { brokerConfigs } from './broker-configs.ts';
import { complaint, configError, overlay, type Setting, type Settings } from './settings.ts';

/** Where settings come from. */
export interface ConfigSources {
  /** A properties file; null takes the development profile. */
  readonly file: { readonly name: string; readonly content: Buffer } | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly flags: ConfigFlags;
}

/** Flags of the command line, as they were typed. */
export interface ConfigFlags {
  readonly port?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly adminPort?: string | undefined;
  readonly clusterId?: string | undefined;
  /** Formats empty data directories. */
  readonly format?: boolean | undefined;
  readonly logFormat?: string | undefined;
  readonly logLevel?: string | undefined;
  /** Each `name=value`; a later one wins. */
  readonly set?: readonly string[] | undefined;
}

/** The settings of all sources, the more particular ones winning. @throws BrokerError `CONFIG_INVALID` for what cannot be read at all. */
export function gatherSettings(sources: ConfigSources): Settings {
  const { file, flags } = sources;
  const given = overlay(
    file === null ? new Map() : fileSettings(file.name, file.content),
    environmentSettings(sources.environment),
    flagSettings(flags),
  );
  const settings = file === null ? overlay(developmentSettings(given), given) : given;
  return flags.port === undefined ? settings : withPort(settings, flags.port);
}

/** Settings of a properties file, the last of each name. */
export function fileSettings(name: string, content: Buffer): Settings {
  const settings = new Map<string, Setting>();
  for (const { key, value, line } of parseProperties(decodePropertiesFile(content), name)) {
    settings.set(key, { text: value, origin: `${name}, line ${line}` });
  }
  return settings;
}

/** Flags that stand for one setting each. */
const FLAGS = [
  ['dataDir', '--data-dir', 'log.dirs'],
  ['adminPort', '--admin-port', 'odradek.admin.port'],
  ['clusterId', '--cluster-id', 'odradek.cluster.id'],
  ['logFormat', '--log-format', 'odradek.log.format'],
  ['logLevel', '--log-level', 'odradek.log.level'],
] as const;

function flagSettings(flags: ConfigFlags): Settings {
  const settings = new Map<string, Setting>();
  for (const assignment of flags.set ?? []) {
    const equals = assignment.indexOf('=');
    if (equals <= 0) throw configError([`--set "${assignment}" is not valid; allowed: --set name=value`]);
    settings.set(assignment.slice(0, equals).trim(), { text: assignment.slice(equals + 1), origin: '--set' });
  }
  for (const [key, origin, name] of FLAGS) {
    const text = flags[key];
    if (text !== undefined) settings.set(name, { text, origin });
  }
  if (flags.format === true) settings.set('odradek.auto.format', { text: 'true', origin: '--format' });
  return settings;
}

/**
 * Gives the first listener that is not the controllers' another port, and its advertised address too where that had the same one. Other
 * ways of
 * writing `listeners` are left for the check of the whole to complain about.
 */
function withPort(settings: Settings, text: string): Settings {
  const origin = '--port';
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw configError([complaint('port', { text, origin }, 'allowed: 0 to 65535, 0 being any free one')]);
  const listeners = splitList(settings.get('listeners')?.text ?? brokerConfigs.listeners.defaultText ?? '');
  const controllers = splitList(settings.get('controller.listener.names')?.text ?? '').map((name) =>
    name.toUpperCase(),
  );
  const former = listeners
    .map(parseEndpoint)
    .find((endpoint) => endpoint !== null && !controllers.includes(endpoint.listenerName));
  if (former === undefined || former === null) return settings;
  const replaced = new Map(settings);
  const replace = (endpoints: readonly string[]) =>
    endpoints.map((endpointText) => {
      const endpoint = parseEndpoint(endpointText);
      if (endpoint?.listenerName !== former.listenerName || endpoint.port !== former.port)
        return endpointText;
      return formatEndpoint({ ...endpoint, port: Number(text) });
    });
  replaced.set('listeners', { text: replace(listeners).join(','), origin });
  const advertised = settings.get('advertised.listeners');
  if (advertised !== undefined)
    replaced.set('advertised.listeners', {
      ...advertised,
      text: replace(splitList(advertised.text)).join(','),
    });
  return replaced;
}

function splitList(text: string): string[] {
  return text.split(',').map((item) => item.trim());
}
