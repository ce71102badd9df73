import { assert } from '../base/assert.ts';
import { ErrorCode } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { type Uuid, uuidFromBytes } from '../base/uuid.ts';
import { codecOf } from '../protocol/codec.ts';
import { AddRaftVoterRequest, AddRaftVoterResponse } from '../protocol/messages/add-raft-voter.ts';
import {
  BeginQuorumEpochRequest,
  BeginQuorumEpochResponse,
} from '../protocol/messages/begin-quorum-epoch.ts';
import { DescribeQuorumRequest, DescribeQuorumResponse } from '../protocol/messages/describe-quorum.ts';
import { EndQuorumEpochRequest, EndQuorumEpochResponse } from '../protocol/messages/end-quorum-epoch.ts';
import { FetchSnapshotRequest, FetchSnapshotResponse } from '../protocol/messages/fetch-snapshot.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import { RemoveRaftVoterRequest, RemoveRaftVoterResponse } from '../protocol/messages/remove-raft-voter.ts';
import { UpdateRaftVoterRequest, UpdateRaftVoterResponse } from '../protocol/messages/update-raft-voter.ts';
import { VoteRequest, VoteResponse } from '../protocol/messages/vote.ts';
import type { MessageSpec } from '../protocol/schema.ts';
import type { ElectionState } from './election-state.ts';
import { compareSnapshots, type LogFacts, type SnapshotId } from './log-state.ts';
import type {
  FetchedBatch,
  QuorumRecord,
  RaftApis,
  RaftEffect,
  RaftOptions,
  RaftStart,
  ServedApiKey,
} from './raft-api.ts';
import { RaftMachine } from './raft-machine.ts';
import type { RaftTimeouts } from './timeouts.ts';
import type { QuorumFacts } from './voter-history.ts';
import { VoterSet, type Endpoint, type Voter } from './voter-set.ts';

/** Cluster id of a harness. */
export const CLUSTER_ID = 'raft-harness-cluster';
/** Time limits of a harness; those of the configs' defaults. */
export const TIMEOUTS: RaftTimeouts = {
  electionTimeoutMs: 1000,
  electionBackoffMaxMs: 1000,
  fetchTimeoutMs: 2000,
  requestTimeoutMs: 2000,
  retryBackoffMs: 20,
};

/** Newest version of each API, request and response. */
const APIS: Readonly<Record<ServedApiKey, readonly [MessageSpec, MessageSpec, number]>> = {
  1: [FetchRequest, FetchResponse, 18],
  52: [VoteRequest, VoteResponse, 2],
  53: [BeginQuorumEpochRequest, BeginQuorumEpochResponse, 1],
  54: [EndQuorumEpochRequest, EndQuorumEpochResponse, 1],
  55: [DescribeQuorumRequest, DescribeQuorumResponse, 2],
  59: [FetchSnapshotRequest, FetchSnapshotResponse, 1],
  80: [AddRaftVoterRequest, AddRaftVoterResponse, 1],
  81: [RemoveRaftVoterRequest, RemoveRaftVoterResponse, 0],
  82: [UpdateRaftVoterRequest, UpdateRaftVoterResponse, 0],
};

/** Encodes a body and decodes it again, as the wire does. */
export function overTheWire(apiKey: ServedApiKey, isRequest: boolean, body: object): never {
  const [request, response, version] = APIS[apiKey];
  const codec = codecOf(isRequest ? request : response, version);
  return codec.decode(codec.encode(body as never)) as never;
}

export function versionOf(apiKey: ServedApiKey): number {
  return APIS[apiKey][2];
}

/** The directory id of a node, of its n-th disk. */
export function directoryOf(nodeId: number, disk = 0): Uuid {
  const bytes = Buffer.alloc(16, nodeId);
  bytes[0] = disk + 1;
  return uuidFromBytes(bytes, 0);
}

export function endpointsOf(nodeId: number): readonly Endpoint[] {
  return [{ name: 'CONTROLLER', host: `node${nodeId}`, port: 9093 }];
}

export function voterOf(nodeId: number, disk = 0): Voter {
  return {
    voterId: nodeId,
    voterDirectoryId: directoryOf(nodeId, disk),
    endpoints: endpointsOf(nodeId),
    minSupportedVersion: 0,
    maxSupportedVersion: 1,
  };
}

/** A batch as it lies in a log; `value` tells it from every other one. */
export interface HarnessBatch extends FetchedBatch {
  readonly value: string;
}

interface HarnessSnapshot {
  readonly id: SnapshotId;
  readonly sizeBytes: number;
  readonly facts: QuorumFacts;
}

/** What is on a disk. */
export interface HarnessDisk {
  election: ElectionState | null;
  startOffset: number;
  batches: readonly HarnessBatch[];
  snapshots: readonly HarnessSnapshot[];
}

type DiskOp = {
  readonly apply: (disk: HarnessDisk) => void;
  readonly done: () => void;
  readonly isSync: boolean;
};

/** A node of the harness: a machine with a disk whose work is queued until the test lets it be done. */
export class HarnessNode {
  readonly nodeId: number;
  readonly options: RaftOptions;
  machine: RaftMachine;
  /** As the queue leaves it, step by step. */
  disk: HarnessDisk;
  /** What survives a loss of power. */
  durable: HarnessDisk;
  #queue: DiskOp[] = [];
  #unsynced: DiskOp[] = [];
  readonly #sent: (node: HarnessNode, effect: RaftEffect) => void;
  /** Batches of answers by correlation id, until the effects of their event are carried out. */
  readonly incoming = new Map<number, readonly HarnessBatch[]>();
  incomingSnapshot: HarnessSnapshot | null = null;
  isLeading = false;
  /** The disk does nothing before. */
  stalledUntilMs = 0;
  /** The test's clock. */
  nowMs: number;

  constructor(
    options: RaftOptions,
    disk: HarnessDisk,
    nowMs: number,
    sent: (node: HarnessNode, effect: RaftEffect) => void,
  ) {
    this.nodeId = options.nodeId;
    this.options = options;
    this.disk = { ...disk };
    this.durable = { ...disk };
    this.#sent = sent;
    this.nowMs = nowMs;
    this.machine = new RaftMachine(options, startOf(disk), nowMs);
  }

  get hasDiskWork(): boolean {
    return this.#queue.length > 0;
  }

  get endOffset(): number {
    return this.disk.batches.at(-1)?.endOffset ?? this.disk.startOffset;
  }

  /** Carries out the effects of the last event; disk work only joins the queue. */
  carryOut(): void {
    for (const effect of this.machine.takeEffects()) this.#carryOut(effect);
  }

  /** Appends records of the controller. */
  append(count: number, value: string): void {
    const { epoch } = this.machine;
    const baseOffset = this.machine.append(count, this.nowMs);
    const batch = { baseOffset, endOffset: baseOffset + count, epoch, controlRecords: [], value };
    this.#write((disk) => (disk.batches = [...disk.batches, batch]));
  }

  /** Does the next piece of disk work. */
  work(): void {
    const op = this.#queue.shift();
    if (op === undefined) return;
    op.apply(this.disk);
    if (op.isSync) {
      this.durable = { ...this.disk, election: this.durable.election };
      this.#unsynced = [];
    } else this.#unsynced.push(op);
    op.done();
  }

  /** What is left after the power went: what was synced, and perhaps some of what was written after. */
  afterPowerLoss(random: Random): HarnessDisk {
    const disk = { ...this.durable };
    for (const op of this.#unsynced.slice(0, random.below(this.#unsynced.length + 1))) op.apply(disk);
    return disk;
  }

  batchesFrom(fromOffset: number, endOffset: number, maxBatches: number): HarnessBatch[] {
    return this.disk.batches
      .filter((batch) => batch.endOffset > fromOffset && batch.endOffset <= endOffset)
      .slice(0, maxBatches);
  }

  /** Writes a snapshot at the end of a committed batch, and drops the log before it. */
  snapshot(): boolean {
    const { machine, nowMs } = this;
    const batch = this.disk.batches.findLast((one) => one.endOffset <= machine.highWatermark);
    if (batch === undefined || this.#queue.length > 0) return false;
    const id = { endOffset: batch.endOffset, epoch: batch.epoch };
    if (this.disk.snapshots.some((one) => compareSnapshots(one.id, id) >= 0)) return false;
    const snapshot = { id, sizeBytes: 10 + id.endOffset, facts: machine.quorumAt(id.endOffset) };
    const drop = (disk: HarnessDisk): void => {
      disk.snapshots = [snapshot];
      disk.startOffset = id.endOffset;
      disk.batches = disk.batches.filter((one) => one.baseOffset >= id.endOffset);
    };
    machine.snapshotWritten({ id, sizeBytes: snapshot.sizeBytes }, nowMs);
    if (this.durable.batches.some((one) => one.endOffset === id.endOffset && one.epoch === id.epoch)) {
      drop(this.disk);
      drop(this.durable);
      machine.logStartMoved(id.endOffset, nowMs);
    } else {
      this.disk.snapshots = [...this.disk.snapshots, snapshot];
    }
    return true;
  }

  #write(apply: (disk: HarnessDisk) => unknown, done: () => void = () => undefined, isSync = false): void {
    this.#queue.push({ apply, done, isSync });
  }

  #freeze(id: SnapshotId): void {
    const snapshot = this.incomingSnapshot;
    this.#write(
      () => undefined,
      () => {
        const found = snapshot !== null && compareSnapshots(snapshot.id, id) === 0 ? snapshot : null;
        this.machine.snapshotFrozen(found && { fact: found, facts: found.facts }, this.nowMs);
      },
    );
  }

  #install(): void {
    const snapshot = this.incomingSnapshot;
    assert(snapshot !== null, 'what is installed was fetched');
    this.#write(
      (disk) => {
        disk.snapshots = [snapshot];
        disk.startOffset = snapshot.id.endOffset;
        disk.batches = [];
      },
      () => undefined,
      true,
    );
  }

  #carryOut(effect: RaftEffect): void {
    const { machine } = this;
    switch (effect.type) {
      case 'persist-election':
        return this.#write(
          () => {
            this.disk.election = effect.state;
            this.durable.election = effect.state;
          },
          () => machine.electionPersisted(effect.ticket, this.nowMs),
        );
      case 'append-control': {
        const { baseOffset, epoch, records } = effect;
        const batch: HarnessBatch = {
          baseOffset,
          endOffset: baseOffset + records.length,
          epoch,
          controlRecords: records.flatMap((record, i) =>
            record.type === 'LEADER_CHANGE' ? [] : [{ offset: baseOffset + i, record }],
          ),
          value: `${records[0]?.type} by ${this.nodeId} in ${epoch}`,
        };
        return this.#write((disk) => (disk.batches = [...disk.batches, batch]));
      }
      case 'append-fetched': {
        const batches = (this.incoming.get(effect.correlationId) ?? []).filter(
          (batch) => batch.endOffset <= effect.endOffset,
        );
        return this.#write((disk) => (disk.batches = [...disk.batches, ...batches]));
      }
      case 'truncate':
        return this.#write((disk) => {
          disk.batches = disk.batches.filter((batch) => batch.endOffset <= effect.endOffset);
        });
      case 'flush':
        return this.#write(
          () => undefined,
          () => machine.flushed(effect.ticket, this.nowMs),
          true,
        );
      case 'freeze-snapshot':
        return this.#freeze(effect.id);
      case 'install-snapshot':
        return this.#install();
      case 'lead':
        this.isLeading = true;
        break;
      case 'stop-leading':
        this.isLeading = false;
        break;
      default:
        break;
    }
    this.#sent(this, effect);
  }
}

/** A node's options. */
export function optionsOf(
  nodeId: number,
  random: Random,
  given: {
    readonly configured?: readonly Voter[];
    readonly disk?: number;
    readonly over?: Partial<RaftOptions>;
  } = {},
): RaftOptions {
  return {
    nodeId,
    directoryId: directoryOf(nodeId, given.disk),
    clusterId: CLUSTER_ID,
    canBecomeVoter: true,
    autoJoin: false,
    endpoints: endpointsOf(nodeId),
    listenerName: 'CONTROLLER',
    configuredVoters: new VoterSet(given.configured ?? []),
    bootstrapServers: [],
    timeouts: TIMEOUTS,
    random,
    ...given.over,
  };
}

/** An empty disk; with dynamic voters, one that was formatted with these. */
export function emptyDisk(voters: readonly Voter[] | null): HarnessDisk {
  const facts: QuorumFacts = { kraftVersion: 1, voters: voters === null ? null : new VoterSet(voters) };
  const snapshots = voters === null ? [] : [{ id: { endOffset: 0, epoch: 0 }, sizeBytes: 10, facts }];
  return { election: null, startOffset: 0, batches: [], snapshots };
}

/** What a machine is told of a disk. */
export function startOf(disk: HarnessDisk): RaftStart {
  const epochs: { epoch: number; startOffset: number }[] = [];
  for (const { epoch, baseOffset } of disk.batches) {
    if (epochs.at(-1)?.epoch !== epoch) epochs.push({ epoch, startOffset: baseOffset });
  }
  const log: LogFacts = {
    startOffset: disk.startOffset,
    endOffset: disk.batches.at(-1)?.endOffset ?? disk.startOffset,
    epochs,
    snapshots: disk.snapshots.map(({ id, sizeBytes }) => ({ id, sizeBytes })),
  };
  const snapshot = disk.snapshots.at(-1) ?? null;
  const from = snapshot?.id.endOffset ?? 0;
  const controlRecords: { offset: number; record: QuorumRecord }[] = disk.batches
    .flatMap((batch) => batch.controlRecords)
    .filter(({ offset }) => offset >= from);
  return {
    election: disk.election,
    log,
    snapshot: snapshot && { id: snapshot.id, facts: snapshot.facts },
    controlRecords,
  };
}

/** The answer to ApiVersions that a node of the harness gives. */
export const VERSIONS_ANSWER = {
  errorCode: ErrorCode.NONE,
  apiKeys: [],
  throttleTimeMs: 0,
  supportedFeatures: [{ name: 'kraft.version', minVersion: 0, maxVersion: 1 }],
  finalizedFeaturesEpoch: -1,
  finalizedFeatures: [],
  zkMigrationReady: false,
} as unknown as RaftApis[18]['response'];
