import { boolean, int, string } from '../definition.ts';
import { between, nonEmptyString, oneOf, orExactly } from '../rules.ts';

/** Configs that Kafka does not have; all begin with `odradek.`. */
export const odradekConfigs = {
  'odradek.admin.host': string({
    default: '127.0.0.1',
    rule: nonEmptyString,
    importance: 'MEDIUM',
    doc: 'Address of the admin port.',
  }),
  'odradek.admin.port': int({
    default: -1,
    rule: orExactly(-1, between(0, 65535)),
    importance: 'MEDIUM',
    doc: 'Port for /metrics and /healthz over HTTP; -1 opens none, 0 takes any free one.',
  }),
  'odradek.auto.format': boolean({
    default: false,
    importance: 'MEDIUM',
    doc: 'Whether empty data directories are formatted at the start; otherwise an unformatted directory is refused, since it may be a disk that failed to mount.',
  }),
  'odradek.cluster.id': string({
    default: null,
    rule: nonEmptyString,
    importance: 'MEDIUM',
    doc: 'Cluster id that a format writes and that an existing directory must have; a random one, or that of the directory, when unset.',
  }),
  'odradek.io': string({
    default: 'addon',
    rule: oneOf('addon', 'portable'),
    importance: 'LOW',
    doc: 'Implementation of sockets, files and checksums: the native addon where it loads, or plain Node.js.',
  }),
  'odradek.log.format': string({
    default: 'auto',
    rule: oneOf('auto', 'human', 'json'),
    importance: 'LOW',
    doc: 'Form of log lines; auto is human on a terminal and json otherwise.',
  }),
  'odradek.log.level': string({
    default: 'info',
    rule: oneOf('debug', 'info', 'warn', 'error'),
    importance: 'LOW',
    doc: 'Least important log lines that are written.',
  }),
};
