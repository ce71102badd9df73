import { ErrorCode } from '../base/errors.ts';
import type { Reading, ToldLeader } from './checks.ts';
import { readCommon } from './checks.ts';
import { heardOfLeader } from './fetching.ts';
import { MAX_KRAFT_VERSION, MIN_KRAFT_VERSION, type Quorum } from './quorum.ts';
import type { RaftApis } from './raft-api.ts';
import type { FollowerState } from './role-states.ts';
import { nodeDestination, send } from './sending.ts';
import type { Voter } from './voter-set.ts';

/** Tells the leader this voter's directory, endpoints and versions (KIP-853). True if it was sent. */
export function sendUpdateVoter(quorum: Quorum, role: FollowerState): boolean {
  const { options } = quorum;
  const leader = nodeDestination(quorum, role.leaderId, role.leaderEndpoints);
  if (leader === null) return false;
  const body = {
    clusterId: options.clusterId,
    currentLeaderEpoch: quorum.epoch,
    voterId: options.nodeId,
    voterDirectoryId: options.directoryId,
    listeners: options.endpoints,
    kRaftVersionFeature: {
      minSupportedVersion: MIN_KRAFT_VERSION,
      maxSupportedVersion: MAX_KRAFT_VERSION,
    },
  };
  return send(quorum, leader, { apiKey: 82, body }) !== null;
}

/** Asks to become a voter (KIP-853, `controller.quorum.auto.join.enable`). True if it was sent. */
export function sendAddVoter(quorum: Quorum, role: FollowerState): boolean {
  const { options } = quorum;
  const leader = nodeDestination(quorum, role.leaderId, role.leaderEndpoints);
  if (leader === null) return false;
  const body = {
    clusterId: options.clusterId,
    timeoutMs: options.timeouts.requestTimeoutMs,
    voterId: options.nodeId,
    voterDirectoryId: options.directoryId,
    listeners: options.endpoints,
    ackWhenCommitted: false,
  };
  return send(quorum, leader, { apiKey: 80, body, minVersion: 1 }) !== null;
}

/** Has the entry of this node with a directory it no longer has removed, so that it can join with the one it has. True if it was sent. */
export function sendRemoveVoter(quorum: Quorum, role: FollowerState, former: Voter): boolean {
  const leader = nodeDestination(quorum, role.leaderId, role.leaderEndpoints);
  if (leader === null) return false;
  const body = {
    clusterId: quorum.options.clusterId,
    voterId: former.voterId,
    voterDirectoryId: former.voterDirectoryId,
  };
  return send(quorum, leader, { apiKey: 81, body }) !== null;
}

/** Reads the leader's answer to `sendUpdateVoter`. */
export function readUpdateAnswer(quorum: Quorum, body: RaftApis[82]['response']): Reading {
  const { errorCode, currentLeader } = body;
  const { leaderId, leaderEpoch: epoch, host, port } = currentLeader;
  const name = quorum.options.listenerName;
  const told: ToldLeader = {
    leaderId,
    epoch,
    endpoints: host === '' ? quorum.voters.endpointsOf(leaderId) : [{ name, host, port }],
  };
  if (errorCode === ErrorCode.UNSUPPORTED_VERSION) return settle(quorum);
  const reading = readCommon(quorum, errorCode, told);
  if (reading !== 'read') return reading;
  return errorCode === ErrorCode.NONE ? settle(quorum) : 'failed';
}

function settle(quorum: Quorum): Reading {
  const { role } = quorum;
  if (role.name !== 'follower') return 'done';
  role.hasUpdatedLeader = true;
  heardOfLeader(quorum, role);
  return 'done';
}

/** Reads the leader's answer to `sendAddVoter` or `sendRemoveVoter`: what was refused is asked for again later. */
export function readJoinAnswer(errorCode: ErrorCode): Reading {
  const isSettled =
    errorCode === ErrorCode.NONE ||
    errorCode === ErrorCode.REQUEST_TIMED_OUT ||
    errorCode === ErrorCode.DUPLICATE_VOTER ||
    errorCode === ErrorCode.VOTER_NOT_FOUND;
  return isSettled ? 'done' : 'failed';
}
