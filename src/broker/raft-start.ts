import { BrokerError } from '../base/broker-error.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Disk } from '../io/disk.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../log/log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import type { MetadataSnapshotStore } from '../log/metadata-snapshot-store.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { ElectionState } from '../raft/election-state.ts';
import type { RaftOptions, RaftStart } from '../raft/raft-api.ts';
import { type Endpoint, VoterSet } from '../raft/voter-set.ts';
import { parseQuorumState, QUORUM_STATE_FILE } from './metadata-quorum-state.ts';
import { logFacts } from './raft-log.ts';

/** What a driver is opened with. */
export interface RaftDriverOptions {
  readonly environment: LogEnvironment;
  readonly config: BrokerConfig;
  /** The directory of the metadata log; stays the caller's, the log in it is the driver's. */
  readonly directory: LogDirectory;
}

/** How the metadata log is kept: it is dropped only where a snapshot stands for it, and its flushes are the driver's. */
export function metadataLogConfig(config: BrokerConfig): LogConfig {
  return {
    ...DEFAULT_LOG_CONFIG,
    segmentBytes:
      config.get('internal.metadata.log.segment.bytes') ?? config.get('metadata.log.segment.bytes'),
    segmentMs: config.get('metadata.log.segment.ms'),
    retentionMs: -1,
    retentionBytes: -1,
  };
}

/** Where `quorum-state` is. */
export function quorumStatePath(log: PartitionLog): string {
  return `${log.path}/${QUORUM_STATE_FILE}`;
}

/**
 * What `quorum-state` says; null when there is none.
 * @throws BrokerError when the file is damaged, or is that of a quorum with others, which need a network this driver has not
 */
export function readElection(
  disk: Disk,
  log: PartitionLog,
  options: RaftDriverOptions,
): ElectionState | null {
  const path = quorumStatePath(log);
  if (!disk.exists(path)) return null;
  const election = parseQuorumState(disk.readFile(path).toString(), path);
  if (election.kraftVersion > 0) {
    throw new BrokerError(
      'METADATA_UNSUPPORTED',
      `${path} has data version 1: it belongs to a quorum with dynamic voters, which this version cannot take part in`,
    );
  }
  const others = election.voterIds.filter((id) => id !== options.config.nodeId);
  if (others.length > 0) {
    throw new BrokerError(
      'METADATA_UNSUPPORTED',
      `${path} names other voters (${others.join(', ')}): this version leads a quorum of one node only`,
    );
  }
  return election;
}

/** The machine's options, of a node that is alone in its quorum. */
export function raftOptions(options: RaftDriverOptions): RaftOptions {
  const { config, directory, environment } = options;
  const { nodeId } = config;
  const listenerName = config.controllerListenerNames[0] ?? '';
  const endpoints: Endpoint[] = config.quorumVoters
    .filter((voter) => voter.nodeId === nodeId)
    .map(({ host, port }) => ({ name: listenerName, host, port }));
  const self = {
    voterId: nodeId,
    voterDirectoryId: ZERO_UUID,
    endpoints,
    minSupportedVersion: 0,
    maxSupportedVersion: 0,
  };
  return {
    nodeId,
    directoryId: directory.directoryId,
    clusterId: directory.clusterId,
    canBecomeVoter: true,
    autoJoin: config.get('controller.quorum.auto.join.enable'),
    endpoints,
    listenerName,
    configuredVoters: new VoterSet([self]),
    bootstrapServers: [],
    timeouts: {
      electionTimeoutMs: config.get('controller.quorum.election.timeout.ms'),
      electionBackoffMaxMs: config.get('controller.quorum.election.backoff.max.ms'),
      fetchTimeoutMs: config.get('controller.quorum.fetch.timeout.ms'),
      requestTimeoutMs: config.get('controller.quorum.request.timeout.ms'),
      retryBackoffMs: config.get('controller.quorum.retry.backoff.ms'),
    },
    random: environment.random.fork(),
  };
}

/** What the machine begins with; `loadedEndOffset` is where the snapshot ends that was loaded, 0 for none. */
export function raftStart(
  log: PartitionLog,
  store: MetadataSnapshotStore,
  election: ElectionState | null,
  loadedEndOffset: number,
): RaftStart {
  const snapshots = store.ids
    .filter(({ endOffset }) => endOffset > 0 && endOffset <= log.logEndOffset)
    .map((id) => ({ id, sizeBytes: store.sizeOf(id) }));
  const loaded = snapshots.find(({ id }) => id.endOffset === loadedEndOffset);
  return {
    election,
    log: logFacts(log, snapshots),
    snapshot: loaded === undefined ? null : { id: loaded.id, facts: { kraftVersion: 0, voters: null } },
    controlRecords: [],
  };
}
