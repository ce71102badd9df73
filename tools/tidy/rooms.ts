/** The house rules as data: who may import whom, what is banned where, and the exceptions that may only shrink. */

/** What each room under `src/` may import besides itself and `base` (DESIGN §2). */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  config: [],
  io: [],
  protocol: [],
  records: ['io'],
  log: ['config', 'io', 'records'],
  raft: ['protocol'],
  metadata: ['protocol', 'config'],
  controller: ['protocol', 'config', 'metadata'],
  replication: ['io', 'protocol', 'records', 'log', 'metadata', 'config'],
  coordinator: ['protocol', 'records', 'metadata', 'config'],
  security: ['io', 'protocol', 'metadata', 'config'],
  client: ['io', 'protocol', 'records'],
  broker: [
    'config',
    'io',
    'protocol',
    'records',
    'log',
    'raft',
    'metadata',
    'controller',
    'replication',
    'coordinator',
    'security',
    'client',
  ],
  cli: ['config', 'io', 'protocol', 'records', 'log', 'metadata', 'client', 'broker'],
};

/** Rooms whose code is pure: no async, no clock, no I/O. */
export const PURE_ROOMS: readonly string[] = ['raft', 'controller', 'coordinator'];

/** The one folder that may touch the system. */
export const SYSTEM_FOLDER = 'src/io/node/';

/** Node modules that only the system folder imports. */
export const BANNED_MODULES: ReadonlySet<string> = new Set(
  [
    'child_process',
    'cluster',
    'crypto',
    'dgram',
    'dns',
    'fs',
    'fs/promises',
    'http',
    'http2',
    'https',
    'net',
    'os',
    'perf_hooks',
    'process',
    'timers',
    'timers/promises',
    'tls',
    'worker_threads',
    'zlib',
  ].map((name) => `node:${name}`),
);

/** Globals, or members of globals, that only the system folder uses. */
export const BANNED_GLOBALS: ReadonlySet<string> = new Set([
  'Date.now',
  'Math.random',
  'performance',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'crypto',
  'fetch',
]);

/** Longest file and function, in lines. */
export const MAX_FILE_LINES = 600;
export const MAX_FUNCTION_LINES = 70;

/** Files over the limit and the size they may have at most; a row is removed when its file fits. */
export const LONG_FILES: Readonly<Record<string, number>> = {};

/** Functions over the limit as `file#name`, and the size they may have at most. */
export const LONG_FUNCTIONS: Readonly<Record<string, number>> = {};
