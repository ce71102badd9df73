import { BrokerError } from '../base/broker-error.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { Disk } from '../io/disk.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../log/log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import type { MetadataSnapshotStore, SnapshotId } from '../log/metadata-snapshot-store.ts';
import type { PartitionLog } from '../log/partition-log.ts';
import type { ElectionState } from '../raft/election-state.ts';
import type { RaftOptions, RaftStart } from '../raft/raft-api.ts';
import type { RaftMachine } from '../raft/raft-machine.ts';
import type { QuorumFacts } from '../raft/voter-history.ts';
import { type Endpoint, type Voter, VoterSet } from '../raft/voter-set.ts';
import { parseQuorumState, QUORUM_STATE_FILE } from './metadata-quorum-state.ts';
import { readSnapshotPreamble } from './metadata-snapshot-format.ts';
import { logFacts } from './raft-log.ts';
import type { RaftTransport } from './raft-transport.ts';

/** What a driver is opened with. */
export interface RaftDriverOptions {
  readonly environment: LogEnvironment;
  readonly config: BrokerConfig;
  /** The directory of the metadata log; stays the caller's, the log in it is the driver's. */
  readonly directory: LogDirectory;
  /** The other members and how they are reached; left out for a quorum of one node. */
  readonly quorum?: QuorumMembership;
}

/** The quorum that a node is a part of. */
export interface QuorumMembership {
  readonly transport: RaftTransport;
  /** Fixed voters; empty when they are in the log. */
  readonly voters: readonly Voter[];
  /** Where this node listens for the others. */
  readonly endpoints: readonly Endpoint[];
  readonly listenerName: string;
  readonly bootstrapServers: readonly { readonly host: string; readonly port: number }[];
  /** False for a broker that only follows. */
  readonly canBecomeVoter: boolean;
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
  if (options.quorum !== undefined) return election;
  const others = election.voterIds.filter((id) => id !== options.config.nodeId);
  if (others.length > 0) {
    throw new BrokerError(
      'METADATA_UNSUPPORTED',
      `${path} names other voters (${others.join(', ')}): this version leads a quorum of one node only`,
    );
  }
  return election;
}

/** @throws BrokerError when the quorum is not this node alone and there is no network to reach the others */
export function refuseOthers(machine: RaftMachine, log: PartitionLog, options: RaftDriverOptions): void {
  if (options.quorum !== undefined) return;
  const { nodeId } = options.config;
  const others = machine.voters.ids.filter((id) => id !== nodeId);
  if (others.length > 0) {
    throw new BrokerError(
      'METADATA_UNSUPPORTED',
      `${log.path} names other voters (${others.join(', ')}): this version leads a quorum of one node only`,
    );
  }
  if (machine.isVoter) return;
  throw new BrokerError(
    'METADATA_UNSUPPORTED',
    `${log.path} names node ${nodeId} with another directory id than ${options.directory.directoryId} as its voter: this directory is not that of the quorum`,
  );
}

/** The machine's options. */
export function raftOptions(options: RaftDriverOptions): RaftOptions {
  const { config, directory, environment, quorum } = options;
  const { nodeId } = config;
  const listenerName = quorum?.listenerName ?? config.controllerListenerNames[0] ?? '';
  const endpoints: readonly Endpoint[] =
    quorum?.endpoints ??
    config.listeners.advertisedController.map(({ listenerName: name, host, port }) => ({ name, host, port }));
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
    canBecomeVoter: quorum?.canBecomeVoter ?? true,
    autoJoin: config.get('controller.quorum.auto.join.enable'),
    endpoints,
    listenerName,
    configuredVoters: new VoterSet(quorum?.voters ?? [self]),
    bootstrapServers: quorum?.bootstrapServers ?? [],
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

/**
 * What the machine begins with. `loadedEndOffset` is where the snapshot ends that was loaded, 0 for none; `controlRecords` are those of the log after it.
 * @throws BrokerError, DiskError when a snapshot cannot be read
 */
export function raftStart(
  environment: LogEnvironment,
  log: PartitionLog,
  store: MetadataSnapshotStore,
  found: {
    readonly election: ElectionState | null;
    readonly loadedEndOffset: number;
    readonly controlRecords: RaftStart['controlRecords'];
  },
): RaftStart {
  const { election, loadedEndOffset, controlRecords } = found;
  const snapshots = store.ids
    .filter(({ endOffset }) => endOffset <= log.logEndOffset)
    .map((id) => ({ id, sizeBytes: store.sizeOf(id) }));
  const loaded = snapshots.find(({ id }) => id.endOffset === loadedEndOffset);
  return {
    election,
    log: logFacts(log, snapshots),
    snapshot: loaded === undefined ? null : { id: loaded.id, facts: factsOf(environment, store, loaded.id) },
    controlRecords,
  };
}

/** What a snapshot says about the quorum. */
function factsOf(environment: LogEnvironment, store: MetadataSnapshotStore, id: SnapshotId): QuorumFacts {
  const reader = store.openReader(id);
  try {
    const { kraftVersion, voters } = readSnapshotPreamble(
      {
        path: store.pathOf(id),
        sizeBytes: reader.sizeBytes,
        read: (position, target, lengthBytes) => reader.read(position, target, lengthBytes),
      },
      environment.compute,
    );
    return { kraftVersion, voters: voters === null ? null : new VoterSet(voters) };
  } finally {
    reader.close();
  }
}
