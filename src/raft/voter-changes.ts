import { ErrorCode } from '../base/errors.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import { checkLeaderOnly, isOwnCluster, leaderNode, pickEndpoint } from './checks.ts';
import type { Quorum } from './quorum.ts';
import type { RaftApis, RaftRequest } from './raft-api.ts';
import type { LeaderState, PendingChange } from './role-states.ts';
import { followVoters, recordContact } from './roles/leader.ts';
import { nodeDestination, send } from './sending.ts';
import { formatKey, type Voter, type VoterSet } from './voter-set.ts';

/** A replica is added only if it caught up within this time. */
const CAUGHT_UP_WITHIN_MS = 3_600_000;
/** Why a change is not made. */
interface Refusal {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

/**
 * Changes of the voters (KIP-853): one at a time, and none before a record of the leader's own epoch is committed. Each is a KRAFT_VOTERS record that counts as soon as it
 * is appended; whoever asked is answered when it is committed, or when it has not been in time.
 */
export function handleAddVoter(quorum: Quorum, request: RaftRequest<80>): void {
  const { body, requestId } = request;
  const refusal = refuseAdd(quorum, body);
  if (refusal !== null) return answerChange(quorum, requestId, 80, refusal);
  const state = quorum.leading as LeaderState;
  const { nowMs, options } = quorum;
  const voterKey = { id: body.voterId, directoryId: body.voterDirectoryId };
  const destination = nodeDestination(quorum, body.voterId, body.listeners);
  const correlationId =
    destination &&
    send(quorum, destination, {
      apiKey: 18,
      body: { clientSoftwareName: 'odradek', clientSoftwareVersion: 'raft' },
      minVersion: 3,
    });
  if (correlationId === null) {
    const errorMessage = `voter ${formatKey(voterKey)} cannot be asked now which versions it supports`;
    return answerChange(quorum, requestId, 80, { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage });
  }
  state.change = {
    kind: 'add',
    requestId,
    voterKey,
    endpoints: body.listeners,
    ackWhenCommitted: request.apiVersion < 1 || body.ackWhenCommitted,
    deadlineMs: nowMs + options.timeouts.requestTimeoutMs,
    correlationId,
    recordOffset: -1,
    isAnswered: false,
  };
}

function refuseAdd(quorum: Quorum, body: RaftApis[80]['request']): Refusal | null {
  const general = refuseAny(quorum, body);
  if (general !== null) return general;
  if (body.voterId < 0 || body.voterDirectoryId === ZERO_UUID) {
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'a voter has an id and a directory id' };
  }
  if (pickEndpoint(quorum, body.listeners) === null) {
    const errorMessage = `the voter has no endpoint for the listener ${quorum.options.listenerName}`;
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage };
  }
  const busy = refuseBusy(quorum);
  if (busy !== null) return busy;
  if (quorum.voters.get(body.voterId) !== null) {
    const errorMessage = `node ${body.voterId} is a voter already: ${quorum.voters.toString()}`;
    return { errorCode: ErrorCode.DUPLICATE_VOTER, errorMessage };
  }
  return null;
}

/** The new voter has said what it supports, or has not: the record is appended if it can work with the others and has caught up. */
export function readVersionsAnswer(
  quorum: Quorum,
  correlationId: number,
  body: RaftApis[18]['response'] | null,
): void {
  const state = quorum.leading;
  const change = state?.change ?? null;
  if (state === null || change === null || change.kind !== 'add') return;
  if (change.correlationId !== correlationId || change.recordOffset >= 0) return;
  const name = formatKey(change.voterKey);
  if (body === null || body.errorCode !== ErrorCode.NONE) {
    const errorMessage = `voter ${name} does not say which versions it supports`;
    return finishChange(quorum, state, { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage });
  }
  const range = body.supportedFeatures.find((feature) => feature.name === 'kraft.version');
  const { kraftVersion } = quorum.history;
  if (range === undefined || range.minVersion > kraftVersion || range.maxVersion < kraftVersion) {
    const errorMessage = `voter ${name} does not support kraft.version ${kraftVersion}`;
    return finishChange(quorum, state, { errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
  }
  const progress = state.observers.get(name);
  const { nowMs } = quorum;
  const isCaughtUp =
    progress !== undefined &&
    progress.lastCaughtUpMs >= 0 &&
    progress.lastFetchMs > nowMs - CAUGHT_UP_WITHIN_MS;
  if (!isCaughtUp) {
    const errorMessage = `voter ${name} has not caught up with the log`;
    return finishChange(quorum, state, { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage });
  }
  const voters = quorum.voters.with({
    voterId: change.voterKey.id,
    voterDirectoryId: change.voterKey.directoryId,
    endpoints: change.endpoints,
    minSupportedVersion: range.minVersion,
    maxSupportedVersion: range.maxVersion,
  });
  if (voters === null) {
    return finishChange(quorum, state, { errorCode: ErrorCode.DUPLICATE_VOTER, errorMessage: null });
  }
  change.recordOffset = appendVoters(quorum, state, voters);
  if (!change.ackWhenCommitted) {
    change.isAnswered = true;
    answerChange(quorum, change.requestId, 80, { errorCode: ErrorCode.NONE, errorMessage: null });
  }
}

/** Answers RemoveRaftVoter. A leader that removes itself leads until that is committed, without counting itself. */
export function handleRemoveVoter(quorum: Quorum, request: RaftRequest<81>): void {
  const { body, requestId } = request;
  const refusal = refuseRemove(quorum, body);
  if (refusal !== null) return answerChange(quorum, requestId, 81, refusal);
  const state = quorum.leading as LeaderState;
  const voters = quorum.voters.without({ id: body.voterId, directoryId: body.voterDirectoryId }) as VoterSet;
  const { nowMs, options } = quorum;
  state.change = {
    kind: 'remove',
    requestId,
    deadlineMs: nowMs + options.timeouts.requestTimeoutMs,
    recordOffset: appendVoters(quorum, state, voters),
  };
}

function refuseRemove(quorum: Quorum, body: RaftApis[81]['request']): Refusal | null {
  const general = refuseAny(quorum, body);
  if (general !== null) return general;
  if (body.voterId < 0 || body.voterDirectoryId === ZERO_UUID) {
    return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'a voter has an id and a directory id' };
  }
  const busy = refuseBusy(quorum);
  if (busy !== null) return busy;
  const key = { id: body.voterId, directoryId: body.voterDirectoryId };
  if (!quorum.voters.isVoter(key)) {
    const errorMessage = `${formatKey(key)} is none of the voters ${quorum.voters.toString()}`;
    return { errorCode: ErrorCode.VOTER_NOT_FOUND, errorMessage };
  }
  if (quorum.voters.size > 1) return null;
  return { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: 'the last voter cannot be removed' };
}

/** Answers UpdateRaftVoter: a voter says where it listens and what it supports. */
export function handleUpdateVoter(quorum: Quorum, request: RaftRequest<82>): void {
  const { body, requestId } = request;
  const errorCode = updateVoter(quorum, body);
  const [node] = leaderNode(quorum);
  const currentLeader = {
    leaderId: quorum.leaderId,
    leaderEpoch: quorum.epoch,
    host: node?.host ?? '',
    port: node?.port ?? 0,
  };
  quorum.emitMessage({
    type: 'answer',
    requestId,
    apiKey: 82,
    body: { throttleTimeMs: 0, errorCode, currentLeader },
    records: null,
    snapshot: null,
  });
}

function updateVoter(quorum: Quorum, body: RaftApis[82]['request']): ErrorCode {
  if (!isOwnCluster(quorum, body.clusterId)) return ErrorCode.INCONSISTENT_CLUSTER_ID;
  const errorCode = checkLeaderOnly(quorum, body.currentLeaderEpoch);
  const state = quorum.leading;
  if (errorCode !== ErrorCode.NONE || state === null) return errorCode;
  const { minSupportedVersion, maxSupportedVersion } = body.kRaftVersionFeature;
  const { kraftVersion } = quorum.history;
  const isSane =
    body.voterId >= 0 &&
    body.voterDirectoryId !== ZERO_UUID &&
    pickEndpoint(quorum, body.listeners) !== null &&
    minSupportedVersion >= 0 &&
    maxSupportedVersion >= minSupportedVersion &&
    minSupportedVersion <= kraftVersion &&
    maxSupportedVersion >= kraftVersion;
  if (!isSane) return ErrorCode.INVALID_REQUEST;
  const voter: Voter = {
    voterId: body.voterId,
    voterDirectoryId: body.voterDirectoryId,
    endpoints: body.listeners,
    minSupportedVersion,
    maxSupportedVersion,
  };
  if (!state.hasHighWatermark || state.change !== null) return ErrorCode.REQUEST_TIMED_OUT;
  if (kraftVersion === 0) {
    const voters = state.volatileVoters?.replaced(voter) ?? null;
    if (voters === null) return ErrorCode.VOTER_NOT_FOUND;
    state.volatileVoters = voters;
  } else {
    if (!hasCommittedVoters(quorum)) return ErrorCode.REQUEST_TIMED_OUT;
    const voters = quorum.voters.updated(voter);
    if (voters === null) return ErrorCode.VOTER_NOT_FOUND;
    appendVoters(quorum, state, voters);
  }
  recordContact(quorum, state, { id: body.voterId, directoryId: body.voterDirectoryId });
  return ErrorCode.NONE;
}

/** Answers whoever waits for a change that is committed by now, or was not in time. */
export function settleChange(quorum: Quorum, state: LeaderState): void {
  const { change } = state;
  if (change === null) return;
  const isCommitted =
    state.hasHighWatermark && change.recordOffset >= 0 && quorum.highWatermark > change.recordOffset;
  if (isCommitted) return finishChange(quorum, state, { errorCode: ErrorCode.NONE, errorMessage: null });
  if (change.deadlineMs <= quorum.nowMs) {
    finishChange(quorum, state, { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage: null });
  }
}

/** Tells whoever waits that this node leads no more. */
export function refuseChange(quorum: Quorum, state: LeaderState): void {
  finishChange(quorum, state, { errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, errorMessage: null });
}

function finishChange(quorum: Quorum, state: LeaderState, outcome: Refusal): void {
  const { change } = state;
  state.change = null;
  if (change === null || hasAnswer(change)) return;
  answerChange(quorum, change.requestId, change.kind === 'add' ? 80 : 81, outcome);
}

function hasAnswer(change: PendingChange): boolean {
  return change.kind === 'add' && change.isAnswered;
}

/** @returns offset of the record */
function appendVoters(quorum: Quorum, state: LeaderState, voters: VoterSet): number {
  const endOffset = quorum.appendControl([{ type: 'KRAFT_VOTERS', voters: voters.voters }]);
  followVoters(quorum, state);
  return endOffset - 1;
}

function refuseAny(quorum: Quorum, body: { readonly clusterId: string | null }): Refusal | null {
  if (!isOwnCluster(quorum, body.clusterId)) {
    const errorMessage = `this is cluster ${quorum.options.clusterId}`;
    return { errorCode: ErrorCode.INCONSISTENT_CLUSTER_ID, errorMessage };
  }
  const errorCode = checkLeaderOnly(quorum, quorum.epoch);
  return errorCode === ErrorCode.NONE ? null : { errorCode, errorMessage: null };
}

function refuseBusy(quorum: Quorum): Refusal | null {
  const state = quorum.leading;
  if (state?.change !== null) {
    return {
      errorCode: ErrorCode.REQUEST_TIMED_OUT,
      errorMessage: 'another change of the voters is under way',
    };
  }
  if (!state.hasHighWatermark) {
    const errorMessage = 'the leader does not know yet what is committed';
    return { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage };
  }
  const { kraftVersion } = quorum.history;
  if (kraftVersion === 0) {
    const errorMessage = 'with kraft.version 0 the voters are fixed';
    return { errorCode: ErrorCode.UNSUPPORTED_VERSION, errorMessage };
  }
  if (hasCommittedVoters(quorum)) return null;
  const errorMessage = 'the last change of the voters is not committed yet';
  return { errorCode: ErrorCode.REQUEST_TIMED_OUT, errorMessage };
}

function hasCommittedVoters(quorum: Quorum): boolean {
  const { votersOffset } = quorum.history;
  return votersOffset !== null && votersOffset < quorum.highWatermark;
}

function answerChange(quorum: Quorum, requestId: number, apiKey: 80 | 81, outcome: Refusal): void {
  const body = { throttleTimeMs: 0, ...outcome };
  quorum.emitMessage({ type: 'answer', requestId, apiKey, body, records: null, snapshot: null });
}
