import { ErrorCode } from '../base/errors.ts';
import { METADATA_TOPIC_ID } from '../base/uuid.ts';
import { NO_NODE } from './election-state.ts';
import type { Quorum } from './quorum.ts';
import type { Endpoint } from './voter-set.ts';

/** The one topic whose log the quorum keeps; it has one partition, 0. */
export const METADATA_TOPIC_NAME = '__cluster_metadata';

/** The one partition a message of the quorum may be about; null when it is about anything else or more. */
export function onlyPartition<P>(
  topics: readonly { readonly partitions: readonly P[] }[],
  nameOf: (index: number) => string,
  indexOf: (partition: P) => number,
): P | null {
  const [topic] = topics;
  if (topics.length !== 1 || topic === undefined || topic.partitions.length !== 1) return null;
  const [partition] = topic.partitions;
  if (partition === undefined || indexOf(partition) !== 0) return null;
  const name = nameOf(0);
  return name === METADATA_TOPIC_NAME || name === METADATA_TOPIC_ID ? partition : null;
}

/** True if the request may be for this cluster; one that names none may. */
export function isOwnCluster(quorum: Quorum, clusterId: string | null): boolean {
  return clusterId === null || clusterId === quorum.options.clusterId;
}

/** What is wrong with a request that only the leader of its epoch answers; NONE for nothing. */
export function checkLeaderOnly(quorum: Quorum, requestEpoch: number): ErrorCode {
  if (requestEpoch < quorum.epoch) return ErrorCode.FENCED_LEADER_EPOCH;
  if (requestEpoch > quorum.epoch) return ErrorCode.UNKNOWN_LEADER_EPOCH;
  if (quorum.leading === null) return ErrorCode.NOT_LEADER_OR_FOLLOWER;
  if (quorum.isShuttingDown) return ErrorCode.BROKER_NOT_AVAILABLE;
  return ErrorCode.NONE;
}

/** What is wrong with a request among voters; NONE for nothing. */
export function checkVoterOnly(quorum: Quorum, senderId: number, requestEpoch: number): ErrorCode {
  if (requestEpoch < quorum.epoch) return ErrorCode.FENCED_LEADER_EPOCH;
  return senderId < 0 ? ErrorCode.INVALID_REQUEST : ErrorCode.NONE;
}

/** The leader's address on the voters' listener, as answers carry it; empty while it is not known. */
export function leaderNode(quorum: Quorum): { nodeId: number; host: string; port: number }[] {
  const endpoint = pickEndpoint(quorum, quorum.leaderEndpoints);
  if (quorum.leaderId === NO_NODE || endpoint === null) return [];
  return [{ nodeId: quorum.leaderId, host: endpoint.host, port: endpoint.port }];
}

/** The endpoint of the voters' listener; null when it is not among them. */
export function pickEndpoint(quorum: Quorum, endpoints: readonly Endpoint[]): Endpoint | null {
  return endpoints.find(({ name }) => name === quorum.options.listenerName) ?? null;
}

/** Endpoints of the leader that an answer names: those it carries, else those of the voter. */
export function namedEndpoints(
  quorum: Quorum,
  leaderId: number,
  nodes: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[],
): readonly Endpoint[] {
  if (leaderId < 0) return [];
  const node = nodes.find(({ nodeId }) => nodeId === leaderId);
  if (node === undefined) return quorum.voters.endpointsOf(leaderId);
  return [{ name: quorum.options.listenerName, host: node.host, port: node.port }];
}

/** A leader and epoch that a message tells of. */
export interface ToldLeader {
  readonly leaderId: number;
  readonly epoch: number;
  readonly endpoints: readonly Endpoint[];
}

/** True if the message does not say that an epoch has another leader than this node knows. */
export function isConsistent(quorum: Quorum, told: ToldLeader): boolean {
  if (told.leaderId === quorum.options.nodeId) {
    // Whoever says so after a restart or resignation speaks of a past this node has given up.
    return told.epoch <= quorum.epoch && (told.epoch < quorum.epoch || quorum.leaderId === told.leaderId);
  }
  if (told.epoch !== quorum.epoch || told.leaderId === NO_NODE || quorum.leaderId === NO_NODE) return true;
  return told.leaderId === quorum.leaderId;
}

/** Follows what a message says about the quorum, if that is news. False, and nothing changed, when it contradicts what is known. */
export function adopt(quorum: Quorum, told: ToldLeader): boolean {
  if (!isConsistent(quorum, told)) {
    quorum.warn(
      `a message names ${told.leaderId} as leader of epoch ${told.epoch}; this node knows ${quorum.leaderId} of epoch ${quorum.epoch}`,
    );
    return false;
  }
  if (told.epoch > quorum.epoch) {
    if (told.leaderId === NO_NODE) quorum.becomeUnattached(told.epoch);
    else if (told.endpoints.length === 0) quorum.becomeUnattached(told.epoch, told.leaderId);
    else quorum.becomeFollower(told.epoch, told.leaderId, told.endpoints);
    return true;
  }
  const { role } = quorum;
  const isNews = told.epoch === quorum.epoch && told.leaderId !== NO_NODE && told.endpoints.length > 0;
  if (!isNews || told.leaderId === quorum.options.nodeId) return true;
  const isMissing = role.name === 'unattached' || role.name === 'candidate';
  const isUnreached = role.name === 'prospective' && quorum.leaderId === NO_NODE;
  const isUnknown = quorum.leaderEndpoints.length === 0 && role.name !== 'leader';
  if (isMissing || isUnreached || isUnknown) {
    quorum.becomeFollower(told.epoch, told.leaderId, told.endpoints);
  }
  return true;
}

/**
 * What an answer of a peer comes to before its own content is looked at.
 * - `done`: there is nothing more to do with it
 * - `failed`: the peer is left alone for a while
 * - `read`: the answer is of this epoch and its content counts
 */
export type Reading = 'done' | 'failed' | 'read';

/** Reads error, epoch and leader of an answer, as all answers of the quorum carry them. */
export function readCommon(quorum: Quorum, errorCode: ErrorCode, told: ToldLeader): Reading {
  if (told.epoch < quorum.epoch || errorCode === ErrorCode.UNKNOWN_LEADER_EPOCH) return 'done';
  const isRefused =
    errorCode === ErrorCode.FENCED_LEADER_EPOCH || errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER;
  if (told.epoch > quorum.epoch || isRefused) return adopt(quorum, told) ? 'done' : 'failed';
  const { role } = quorum;
  const couldFollow = told.leaderId !== NO_NODE && told.leaderId !== quorum.options.nodeId;
  if (couldFollow && (quorum.leaderId === NO_NODE || role.name === 'unattached')) {
    if (!adopt(quorum, told)) return 'failed';
    return errorCode === ErrorCode.NONE ? 'read' : 'done';
  }
  if (errorCode === ErrorCode.BROKER_NOT_AVAILABLE) return 'failed';
  if (errorCode === ErrorCode.INVALID_VOTER_KEY) return 'done';
  if (errorCode === ErrorCode.INVALID_REQUEST) {
    quorum.warn('a peer refuses a request of this node as invalid');
    return 'failed';
  }
  return 'read';
}
