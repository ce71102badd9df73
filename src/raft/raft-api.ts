import type { ErrorCode } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Uuid } from '../base/uuid.ts';
import type { AddRaftVoterRequest, AddRaftVoterResponse } from '../protocol/messages/add-raft-voter.ts';
import type { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/api-versions.ts';
import type {
  BeginQuorumEpochRequest,
  BeginQuorumEpochResponse,
} from '../protocol/messages/begin-quorum-epoch.ts';
import type { DescribeQuorumRequest, DescribeQuorumResponse } from '../protocol/messages/describe-quorum.ts';
import type { EndQuorumEpochRequest, EndQuorumEpochResponse } from '../protocol/messages/end-quorum-epoch.ts';
import type { FetchSnapshotRequest, FetchSnapshotResponse } from '../protocol/messages/fetch-snapshot.ts';
import type { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import type {
  RemoveRaftVoterRequest,
  RemoveRaftVoterResponse,
} from '../protocol/messages/remove-raft-voter.ts';
import type {
  UpdateRaftVoterRequest,
  UpdateRaftVoterResponse,
} from '../protocol/messages/update-raft-voter.ts';
import type { VoteRequest, VoteResponse } from '../protocol/messages/vote.ts';
import type { InputOf, MessageOf, MessageSpec } from '../protocol/schema.ts';
import type { ElectionState } from './election-state.ts';
import type { LogFacts, SnapshotFact, SnapshotId } from './log-state.ts';
import type { RaftTimeouts } from './timeouts.ts';
import type { QuorumFacts } from './voter-history.ts';
import type { Endpoint, Voter, VoterSet } from './voter-set.ts';

/** The APIs of the quorum by their keys: decoded bodies come in, bodies to be encoded go out. */
export interface RaftApis {
  1: Api<typeof FetchRequest, typeof FetchResponse>;
  18: Api<typeof ApiVersionsRequest, typeof ApiVersionsResponse>;
  52: Api<typeof VoteRequest, typeof VoteResponse>;
  53: Api<typeof BeginQuorumEpochRequest, typeof BeginQuorumEpochResponse>;
  54: Api<typeof EndQuorumEpochRequest, typeof EndQuorumEpochResponse>;
  55: Api<typeof DescribeQuorumRequest, typeof DescribeQuorumResponse>;
  59: Api<typeof FetchSnapshotRequest, typeof FetchSnapshotResponse>;
  80: Api<typeof AddRaftVoterRequest, typeof AddRaftVoterResponse>;
  81: Api<typeof RemoveRaftVoterRequest, typeof RemoveRaftVoterResponse>;
  82: Api<typeof UpdateRaftVoterRequest, typeof UpdateRaftVoterResponse>;
}

interface Api<Request extends MessageSpec, Response extends MessageSpec> {
  readonly request: MessageOf<Request>;
  readonly requestInput: InputOf<Request>;
  readonly response: MessageOf<Response>;
  readonly responseInput: InputOf<Response>;
}

/** API key of a request of the quorum. */
export type RaftApiKey = keyof RaftApis;
/** Requests the machine answers; ApiVersions is only ever sent by it. */
export type ServedApiKey = Exclude<RaftApiKey, 18>;

/** What a machine is made with. */
export interface RaftOptions {
  readonly nodeId: number;
  /** Id of the directory that holds the metadata log. */
  readonly directoryId: Uuid;
  readonly clusterId: string;
  /** True for a node with the role controller: it may be a voter. */
  readonly canBecomeVoter: boolean;
  /** `controller.quorum.auto.join.enable` */
  readonly autoJoin: boolean;
  /** This node's own listeners, as other voters should know them. */
  readonly endpoints: readonly Endpoint[];
  /** Name of the listener voters use among themselves; one of `controller.listener.names`. */
  readonly listenerName: string;
  /** Voters of `controller.quorum.voters`; empty with dynamic voters. */
  readonly configuredVoters: VoterSet;
  /** Endpoints of `controller.quorum.bootstrap.servers`; when empty, the configured voters serve. */
  readonly bootstrapServers: readonly { readonly host: string; readonly port: number }[];
  readonly timeouts: RaftTimeouts;
  readonly random: Random;
}

/** What the machine begins with: what the node's files say. */
export interface RaftStart {
  /** From `quorum-state`; null when there is none. */
  readonly election: ElectionState | null;
  readonly log: LogFacts;
  /** From the newest snapshot at or before the log's start; null when there is none. Its offset is that of the earliest snapshot. */
  readonly snapshot: { readonly id: SnapshotId; readonly facts: QuorumFacts } | null;
  /** KRAFT_VERSION and KRAFT_VOTERS records of the log, in order. */
  readonly controlRecords: readonly { readonly offset: number; readonly record: QuorumRecord }[];
}

/** Control records that change the quorum. Structurally those of `records/control-records.ts`. */
export type QuorumRecord =
  | { readonly type: 'KRAFT_VERSION'; readonly kraftVersion: number }
  | { readonly type: 'KRAFT_VOTERS'; readonly voters: readonly Voter[] };

/** Control records that a leader writes. */
export type LeaderRecord =
  | QuorumRecord
  | {
      readonly type: 'LEADER_CHANGE';
      readonly leaderId: number;
      readonly voterIds: readonly number[];
      readonly grantingVoterIds: readonly number[];
    };

/** A request that arrived. `requestId` is the driver's own; its answer carries it. */
export interface RaftRequest<K extends ServedApiKey = ServedApiKey> {
  readonly requestId: number;
  readonly apiKey: K;
  readonly apiVersion: number;
  readonly body: RaftApis[K]['request'];
}

/** A batch in an answer to Fetch, as the driver found it: whole and with a right checksum. */
export interface FetchedBatch {
  readonly baseOffset: number;
  /** Exclusive. */
  readonly endOffset: number;
  readonly epoch: number;
  /** Quorum records in it, with their offsets. */
  readonly controlRecords: readonly { readonly offset: number; readonly record: QuorumRecord }[];
}

/** Where a request goes: a voter by its id, or a bootstrap server by its place in the list, whoever that is. */
export interface Destination {
  readonly kind: 'node' | 'bootstrap';
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** What an answer to Fetch must be filled with: whole batches from the offset on, as the log has them when the effect is carried out. */
export interface RecordsToRead {
  readonly fromOffset: number;
  /** Exclusive; the log's end when the answer was made. */
  readonly endOffset: number;
  readonly maxBytes: number;
}

/** What an answer to FetchSnapshot must be filled with. */
export interface SnapshotToRead {
  readonly id: SnapshotId;
  readonly position: number;
  readonly maxBytes: number;
}

/** A request of the machine's. */
export type RequestToSend = {
  [K in Exclude<RaftApiKey, 55>]: {
    readonly type: 'send';
    readonly correlationId: number;
    readonly destination: Destination;
    readonly apiKey: K;
    /** Lowest version that can say it: 2 for a pre-vote, else 0. */
    readonly minVersion: number;
    readonly body: RaftApis[K]['requestInput'];
  };
}[Exclude<RaftApiKey, 55>];

/** The answer to a request. */
export type AnswerToSend = {
  [K in ServedApiKey]: {
    readonly type: 'answer';
    readonly requestId: number;
    readonly apiKey: K;
    readonly body: RaftApis[K]['responseInput'];
    /** Goes into the one partition's `records`. */
    readonly records: RecordsToRead | null;
    /** Goes into the one partition's `unalignedRecords`. */
    readonly snapshot: SnapshotToRead | null;
  };
}[ServedApiKey];

/** What the machine wants done, in this order. See the head of `raft-machine.ts`. */
export type RaftEffect =
  | { readonly type: 'persist-election'; readonly ticket: number; readonly state: ElectionState }
  | {
      readonly type: 'append-control';
      readonly baseOffset: number;
      readonly epoch: number;
      readonly records: readonly LeaderRecord[];
    }
  | {
      readonly type: 'append-fetched';
      readonly baseOffset: number;
      readonly endOffset: number;
      /** The response that holds the bytes. */
      readonly correlationId: number;
    }
  | { readonly type: 'flush'; readonly endOffset: number; readonly ticket: number }
  | { readonly type: 'truncate'; readonly endOffset: number }
  | { readonly type: 'begin-snapshot'; readonly id: SnapshotId }
  | {
      readonly type: 'write-snapshot';
      readonly id: SnapshotId;
      readonly position: number;
      /** The response that holds the bytes. */
      readonly correlationId: number;
    }
  | { readonly type: 'freeze-snapshot'; readonly id: SnapshotId }
  | { readonly type: 'discard-snapshot'; readonly id: SnapshotId }
  | { readonly type: 'install-snapshot'; readonly id: SnapshotId }
  | RequestToSend
  | AnswerToSend
  | { readonly type: 'high-watermark'; readonly offset: number }
  | { readonly type: 'leader'; readonly leaderId: number; readonly epoch: number }
  | { readonly type: 'lead'; readonly epoch: number; readonly epochStartOffset: number }
  | { readonly type: 'stop-leading'; readonly epoch: number }
  | { readonly type: 'warn'; readonly message: string }
  | { readonly type: 'fatal'; readonly message: string };

/** What a driver must know of a snapshot that was fetched and frozen. */
export interface FrozenSnapshot {
  readonly fact: SnapshotFact;
  readonly facts: QuorumFacts;
}

/** Outcome of an upgrade of kraft.version. */
export interface UpgradeOutcome {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}
