import { LONG_MAX, boolean, int, list, long, string } from '../definition.ts';
import { atLeast, nonEmptyList, oneOf } from '../rules.ts';

/** Configs of roles, of the controller quorum and of the metadata log. */
export const kraftConfigs = {
  'broker.heartbeat.interval.ms': int({
    default: 2000,
    importance: 'MEDIUM',
    doc: 'Time between two heartbeats of a broker to the active controller.',
  }),
  'broker.session.timeout.ms': int({
    default: 9000,
    importance: 'MEDIUM',
    doc: 'A broker whose heartbeats stay away this long is fenced.',
  }),
  'controller.listener.names': list({
    nonEmpty: true,
    importance: 'HIGH',
    doc: 'Names of the listeners that the controller quorum uses; the first one is the one brokers connect to.',
  }),
  'controller.performance.always.log.threshold.ms': long({
    default: 2000,
    rule: atLeast(0),
    importance: 'MEDIUM',
    internal: true,
    doc: 'A controller event slower than this is logged.',
  }),
  'controller.performance.sample.period.ms': long({
    default: 60_000,
    rule: atLeast(100),
    importance: 'MEDIUM',
    internal: true,
    doc: 'Period over which times of controller events are summed up.',
  }),
  'controller.quorum.append.linger.ms': int({
    default: 25,
    rule: atLeast(0),
    importance: 'MEDIUM',
    doc: 'How long the leader of the quorum collects writes before it flushes them.',
  }),
  'controller.quorum.auto.join.enable': boolean({
    default: false,
    importance: 'LOW',
    doc: 'Whether a controller that starts outside the voter set adds itself to it.',
  }),
  'controller.quorum.bootstrap.servers': list({
    default: '',
    rule: nonEmptyList,
    importance: 'HIGH',
    doc: 'Endpoints through which the quorum is found, as host:port.',
  }),
  'controller.quorum.election.backoff.max.ms': int({
    default: 1000,
    rule: atLeast(0),
    importance: 'HIGH',
    doc: 'Bound of the random pause before a candidate tries again, so that elections do not keep colliding.',
  }),
  'controller.quorum.election.timeout.ms': int({
    default: 1000,
    rule: atLeast(0),
    importance: 'HIGH',
    doc: 'How long a voter waits for votes before a new election.',
  }),
  'controller.quorum.fetch.timeout.ms': int({
    default: 2000,
    rule: atLeast(0),
    importance: 'HIGH',
    doc: 'How long a follower of the quorum goes without an answer of the leader before it stands for election, and a leader without fetches of a majority before it resigns.',
  }),
  'controller.quorum.request.timeout.ms': int({
    default: 2000,
    rule: atLeast(0),
    importance: 'MEDIUM',
    doc: 'How long a request between members of the quorum may take.',
  }),
  'controller.quorum.retry.backoff.ms': int({
    default: 20,
    rule: atLeast(0),
    importance: 'LOW',
    doc: 'Pause before such a request is sent again.',
  }),
  'controller.quorum.voters': list({
    default: '',
    rule: nonEmptyList,
    importance: 'HIGH',
    doc: 'Fixed voters of the quorum, as id@host:port; not for quorums whose voters are kept in the log.',
  }),
  'initial.broker.registration.timeout.ms': int({
    default: 60_000,
    importance: 'MEDIUM',
    doc: 'A broker that could not register with the controllers for this long stops.',
  }),
  'internal.metadata.delete.delay.millis': long({
    default: 60_000,
    importance: 'LOW',
    internal: true,
    doc: 'How long removed segments and snapshots of the metadata log stay on disk.',
  }),
  'internal.metadata.log.segment.bytes': int({
    default: null,
    importance: 'LOW',
    internal: true,
    doc: 'Segment size of the metadata log below the public minimum, for tests.',
  }),
  'internal.metadata.max.batch.size.in.bytes': int({
    default: 8_388_608,
    importance: 'LOW',
    internal: true,
    doc: "Largest batch that the quorum's leader writes.",
  }),
  'internal.metadata.max.fetch.size.in.bytes': int({
    default: 8_388_608,
    importance: 'LOW',
    internal: true,
    doc: 'Most bytes that a member of the quorum fetches at a time.',
  }),
  'metadata.log.dir': string({
    default: null,
    importance: 'HIGH',
    doc: 'Directory of the metadata log; the first of log.dirs when unset.',
  }),
  'metadata.log.max.record.bytes.between.snapshots': long({
    default: 20_971_520,
    rule: atLeast(1),
    importance: 'HIGH',
    doc: 'Bytes of metadata records after which a snapshot is written.',
  }),
  'metadata.log.max.snapshot.interval.ms': long({
    default: 3_600_000,
    rule: atLeast(0),
    importance: 'HIGH',
    doc: "Longest time between two snapshots while there is something new; 0 writes none for time's sake.",
  }),
  'metadata.log.segment.bytes': int({
    default: 1_073_741_824,
    rule: atLeast(8388608),
    importance: 'HIGH',
    doc: 'Segment size of the metadata log.',
  }),
  'metadata.log.segment.ms': long({
    default: 604_800_000,
    importance: 'HIGH',
    doc: 'Age at which a segment of the metadata log is closed for a new one.',
  }),
  'metadata.max.idle.interval.ms': int({
    default: 500,
    rule: atLeast(0),
    importance: 'LOW',
    doc: 'How often the active controller writes a no-op record when nothing else happens; 0 writes none.',
  }),
  'metadata.max.retention.bytes': long({
    default: 104_857_600,
    importance: 'HIGH',
    doc: 'Bytes of metadata log and snapshots past which old ones are deleted.',
  }),
  'metadata.max.retention.ms': long({
    default: 604_800_000,
    importance: 'HIGH',
    doc: 'Age past which old metadata segments and snapshots are deleted.',
  }),
  'node.id': int({
    rule: atLeast(0),
    importance: 'HIGH',
    doc: 'Number of this node, unique in the cluster.',
  }),
  'process.roles': list({
    rule: oneOf('broker', 'controller'),
    nonEmpty: true,
    importance: 'HIGH',
    doc: 'What this node does: broker, controller, or both.',
  }),
  'sasl.mechanism.controller.protocol': string({
    default: 'GSSAPI',
    importance: 'HIGH',
    doc: 'SASL mechanism for connections to controllers.',
  }),
  'server.max.startup.time.ms': long({
    default: LONG_MAX,
    rule: atLeast(0),
    importance: 'MEDIUM',
    internal: true,
    doc: 'A node that has not started by then stops.',
  }),
};
