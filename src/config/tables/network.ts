import { int, list, long, string } from '../definition.ts';
import { atLeast } from '../rules.ts';

/** Configs of listeners, sockets and connections. */
export const networkConfigs = {
  'advertised.listeners': list({
    default: null,
    nonEmpty: true,
    importance: 'HIGH',
    doc: 'Addresses that clients and other brokers are told to connect to, as NAME://host:port; the listeners themselves when unset.',
  }),
  'connection.failed.authentication.delay.ms': int({
    default: 100,
    rule: atLeast(0),
    importance: 'LOW',
    doc: 'How long the closing of a connection that failed to authenticate is delayed, to slow down guessing.',
  }),
  'connections.max.idle.ms': long({
    default: 600_000,
    importance: 'MEDIUM',
    doc: 'A connection without traffic for this long is closed; negative keeps it.',
  }),
  'listener.security.protocol.map': string({
    default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    importance: 'LOW',
    updateMode: 'per-broker',
    doc: 'Security protocol of each listener name, as NAME:PROTOCOL.',
  }),
  listeners: list({
    default: 'PLAINTEXT://:9092',
    nonEmpty: true,
    importance: 'HIGH',
    updateMode: 'per-broker',
    doc: 'Addresses to listen on, as NAME://host:port; an empty host is every interface.',
  }),
  'max.connection.creation.rate': int({
    default: 2_147_483_647,
    rule: atLeast(0),
    importance: 'MEDIUM',
    updateMode: 'cluster-wide',
    doc: 'Most new connections a second.',
  }),
  'max.connections': int({
    default: 2_147_483_647,
    rule: atLeast(0),
    importance: 'MEDIUM',
    updateMode: 'cluster-wide',
    doc: 'Most connections at a time.',
  }),
  'max.connections.per.ip': int({
    default: 2_147_483_647,
    rule: atLeast(0),
    importance: 'MEDIUM',
    updateMode: 'cluster-wide',
    doc: 'Most connections at a time from one address.',
  }),
  'max.connections.per.ip.overrides': string({
    default: '',
    importance: 'MEDIUM',
    updateMode: 'cluster-wide',
    doc: 'Exceptions to that, as address:count separated by commas.',
  }),
  'num.network.threads': int({
    default: 3,
    rule: atLeast(1),
    importance: 'HIGH',
    updateMode: 'cluster-wide',
    doc: 'Threads of Kafka, per listener, that read requests and write answers.',
  }),
  'queued.max.request.bytes': long({
    default: -1,
    importance: 'MEDIUM',
    doc: 'Bytes of requests that may wait before no more is read; -1 is no bound.',
  }),
  'queued.max.requests': int({
    default: 500,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Requests that may wait before no more is read.',
  }),
  'socket.listen.backlog.size': int({
    default: 50,
    rule: atLeast(1),
    importance: 'MEDIUM',
    doc: 'Connections that may wait to be accepted.',
  }),
  'socket.receive.buffer.bytes': int({
    default: 102_400,
    importance: 'HIGH',
    doc: "Receive buffer of a client's socket; -1 leaves it to the system.",
  }),
  'socket.request.max.bytes': int({
    default: 104_857_600,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Largest request; a longer one closes the connection.',
  }),
  'socket.send.buffer.bytes': int({
    default: 102_400,
    importance: 'HIGH',
    doc: "Send buffer of a client's socket; -1 leaves it to the system.",
  }),
};
