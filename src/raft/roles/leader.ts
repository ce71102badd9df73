import { ErrorCode } from '../../base/errors.ts';
import { assert } from '../../base/assert.ts';
import { ZERO_UUID } from '../../base/uuid.ts';
import { MAX_KRAFT_VERSION, MIN_KRAFT_VERSION, type Quorum } from '../quorum.ts';
import { sendBeginQuorumEpoch } from '../quorum-epochs.ts';
import type { LeaderRecord } from '../raft-api.ts';
import type { LeaderState, ReplicaProgress } from '../role-states.ts';
import { checkQuorumTimeoutMs, OBSERVER_SESSION_MS } from '../timeouts.ts';
import { formatKey, keyOf, type ReplicaKey, type Voter } from '../voter-set.ts';

/** Takes the lead: begins the epoch with LEADER_CHANGE, and with the voters where the log does not say them as they are. */
export function beginLeading(quorum: Quorum): void {
  const { role, nowMs, log, history, options } = quorum;
  assert(role.name === 'candidate', 'a candidate takes the lead');
  const { timeouts, nodeId } = options;
  const state: LeaderState = {
    name: 'leader',
    epochStartOffset: log.endOffset,
    hasHighWatermark: false,
    grantingVoterIds: role.votes.granting,
    voters: new Map(),
    observers: new Map(),
    fetchedVoters: new Set(),
    checkQuorumDeadlineMs: nowMs + checkQuorumTimeoutMs(timeouts),
    beginQuorumDeadlineMs: nowMs,
    change: null,
    volatileVoters: null,
    waiting: [],
    resignRequested: false,
  };
  quorum.becomeLeader(state);
  const records: LeaderRecord[] = [
    {
      type: 'LEADER_CHANGE',
      leaderId: nodeId,
      voterIds: quorum.voters.ids,
      grantingVoterIds: state.grantingVoterIds,
    },
  ];
  const isInLog = history.votersOffset !== null && history.votersOffset >= 0;
  if (history.kraftVersion === 0) {
    state.volatileVoters = quorum.voters.replaced(quorum.ownVoter);
  } else if (!isInLog || quorum.voters.needsUpdate(quorum.ownVoter)) {
    const voters = quorum.voters.updated(quorum.ownVoter);
    assert(voters !== null, 'a leader is one of the voters that elected it');
    records.push({ type: 'KRAFT_VERSION', kraftVersion: history.kraftVersion });
    records.push({ type: 'KRAFT_VOTERS', voters: voters.voters });
  }
  quorum.appendControl(records);
  quorum.emit({ type: 'lead', epoch: quorum.epoch, epochStartOffset: state.epochStartOffset });
  followVoters(quorum, state);
}

/** Leader: resigns when it must; keeps telling those voters that do not fetch; counts what is durable here. */
export function pollLeader(quorum: Quorum): void {
  const { nowMs, options } = quorum;
  const state = quorum.leading;
  if (state === null) return;
  if (quorum.isShuttingDown || state.resignRequested || state.checkQuorumDeadlineMs <= nowMs) {
    return quorum.becomeResigned(preferredSuccessors(quorum, state));
  }
  followVoters(quorum, state);
  advanceHighWatermark(quorum, state);
  if (state.beginQuorumDeadlineMs > nowMs) return;
  const intervalMs = Math.ceil(options.timeouts.fetchTimeoutMs / 2);
  for (const [voterId, progress] of state.voters) {
    const isQuiet = progress.lastFetchMs < 0 || nowMs - progress.lastFetchMs >= intervalMs;
    if (voterId !== options.nodeId && isQuiet) sendBeginQuorumEpoch(quorum, voterId);
  }
  state.beginQuorumDeadlineMs = nowMs + intervalMs;
}

/** Has the leader's view of the replicas follow the latest voter set. */
export function followVoters(quorum: Quorum, state: LeaderState): void {
  const voters = new Map<number, ReplicaProgress>();
  for (const voter of quorum.voters.voters) {
    const key = keyOf(voter);
    const former = state.voters.get(voter.voterId);
    const kept = former !== undefined && matches(former.key, key) ? former : null;
    const observer = state.observers.get(formatKey(key)) ?? null;
    const progress = kept ?? observer ?? newProgress(key);
    progress.key = key;
    state.observers.delete(formatKey(key));
    voters.set(voter.voterId, progress);
  }
  for (const [id, progress] of state.voters) {
    if (voters.get(id) === progress || id === quorum.options.nodeId) continue;
    state.observers.set(formatKey(progress.key), progress);
    state.fetchedVoters.delete(id);
  }
  state.voters = voters;
  const own = voters.get(quorum.options.nodeId);
  if (own !== undefined && quorum.isVoter) own.endOffset = quorum.log.flushedOffset;
  if (neededContacts(quorum) === 0) state.checkQuorumDeadlineMs = Infinity;
  else if (state.checkQuorumDeadlineMs === Infinity) {
    state.checkQuorumDeadlineMs = quorum.nowMs + checkQuorumTimeoutMs(quorum.options.timeouts);
  }
}

/** How far a replica is; an observer is known from its first fetch on. */
export function progressOf(state: LeaderState, key: ReplicaKey): ReplicaProgress {
  const voter = state.voters.get(key.id);
  if (voter !== undefined && matches(voter.key, key)) return voter;
  const name = formatKey(key);
  let observer = state.observers.get(name);
  if (observer === undefined) {
    observer = newProgress(key);
    state.observers.set(name, observer);
  }
  return observer;
}

/** A replica fetched at an offset: all below it is there. */
export function recordFetch(quorum: Quorum, state: LeaderState, key: ReplicaKey, fetchOffset: number): void {
  const { nowMs, log } = quorum;
  const progress = progressOf(state, key);
  if (fetchOffset >= log.endOffset) {
    progress.lastCaughtUpMs = nowMs;
  } else if (progress.lastFetchLeaderEndOffset > 0 && fetchOffset >= progress.lastFetchLeaderEndOffset) {
    progress.lastCaughtUpMs = Math.max(progress.lastCaughtUpMs, progress.lastFetchMs);
  }
  progress.lastFetchLeaderEndOffset = log.endOffset;
  progress.lastFetchMs = nowMs;
  progress.endOffset = fetchOffset;
  progress.hasAcknowledged = true;
  recordContact(quorum, state, key);
  advanceHighWatermark(quorum, state);
}

/** A voter has shown that it follows: with a majority of them the leader may go on. */
export function recordContact(quorum: Quorum, state: LeaderState, key: ReplicaKey): void {
  const voter = state.voters.get(key.id);
  if (voter === undefined || !matches(voter.key, key) || key.id === quorum.options.nodeId) return;
  state.fetchedVoters.add(key.id);
  if (state.fetchedVoters.size < neededContacts(quorum)) return;
  state.fetchedVoters.clear();
  state.checkQuorumDeadlineMs = quorum.nowMs + checkQuorumTimeoutMs(quorum.options.timeouts);
}

/**
 * Raises the high watermark to what a majority of the voters holds durably, once that is past the start of the epoch: records of earlier epochs count only
 * together with one of this (Raft, section 5.4.2).
 */
export function advanceHighWatermark(quorum: Quorum, state: LeaderState): void {
  const ends = [...state.voters.values()].map(({ endOffset }) => endOffset).sort((a, b) => b - a);
  const held = ends[Math.floor(ends.length / 2)];
  if (held === undefined || held <= state.epochStartOffset) return;
  const offset = Math.min(held, quorum.log.endOffset);
  const isRaised = quorum.raiseHighWatermark(offset);
  if (!isRaised && state.hasHighWatermark) return;
  state.hasHighWatermark = true;
  if (!quorum.isVoter && (quorum.history.votersOffset ?? -1) < quorum.highWatermark) {
    // Removed, and that is committed: the others elect one of their own.
    state.resignRequested = true;
  }
}

/** Observers that have not fetched for long are forgotten. */
export function forgetObservers(quorum: Quorum, state: LeaderState): void {
  for (const [name, { lastFetchMs }] of state.observers) {
    if (quorum.nowMs - lastFetchMs >= OBSERVER_SESSION_MS) state.observers.delete(name);
  }
}

/** How many voters besides the leader must be heard of. */
function neededContacts(quorum: Quorum): number {
  return quorum.voters.majority - (quorum.isVoter ? 1 : 0);
}

function preferredSuccessors(quorum: Quorum, state: LeaderState): ReplicaKey[] {
  return [...state.voters.values()]
    .filter(({ key }) => key.id !== quorum.options.nodeId)
    .sort((a, b) => b.endOffset - a.endOffset || a.key.id - b.key.id)
    .map(({ key }) => key);
}

/** An entry without directory id is whichever directory the node has. */
function matches(entry: ReplicaKey, key: ReplicaKey): boolean {
  return entry.id === key.id && (entry.directoryId === ZERO_UUID || entry.directoryId === key.directoryId);
}

function newProgress(key: ReplicaKey): ReplicaProgress {
  return {
    key,
    endOffset: -1,
    lastFetchMs: -1,
    lastCaughtUpMs: -1,
    lastFetchLeaderEndOffset: -1,
    hasAcknowledged: false,
  };
}

/**
 * Raises kraft.version to 1: the voters go into the log with all they have said of themselves.
 * @returns the error and its message; NONE when it is done, was done before, or is only asked for
 */
export function upgradeKraftVersion(
  quorum: Quorum,
  kraftVersion: number,
  validateOnly: boolean,
): { readonly errorCode: ErrorCode; readonly errorMessage: string | null } {
  const state = quorum.leading;
  if (state === null) return { errorCode: ErrorCode.NOT_CONTROLLER, errorMessage: null };
  const { history } = quorum;
  if (history.kraftVersion === kraftVersion) return { errorCode: ErrorCode.NONE, errorMessage: null };
  const refuse = (why: string) => ({
    errorCode: ErrorCode.INVALID_UPDATE_VERSION,
    errorMessage: `kraft.version cannot go from ${history.kraftVersion} to ${kraftVersion}: ${why}`,
  });
  if (kraftVersion < history.kraftVersion) return refuse('it never goes back');
  if (kraftVersion < MIN_KRAFT_VERSION || kraftVersion > MAX_KRAFT_VERSION) return refuse('it is not known');
  const known: readonly Voter[] = state.volatileVoters?.voters ?? [];
  const silent = known.filter((voter) => voter.voterDirectoryId === ZERO_UUID);
  const old = known.filter((voter) => voter.maxSupportedVersion < kraftVersion);
  if (known.length === 0 || silent.length > 0 || old.length > 0) {
    const ids = [...silent, ...old].map(({ voterId }) => voterId).join(', ');
    return refuse(`voters ${ids} have not said that they support it`);
  }
  if (validateOnly) return { errorCode: ErrorCode.NONE, errorMessage: null };
  quorum.appendControl([
    { type: 'KRAFT_VERSION', kraftVersion },
    { type: 'KRAFT_VOTERS', voters: known },
  ]);
  state.volatileVoters = null;
  followVoters(quorum, state);
  return { errorCode: ErrorCode.NONE, errorMessage: null };
}
