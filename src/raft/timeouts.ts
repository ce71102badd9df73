import type { Random } from '../base/random.ts';

/** The quorum's time limits; milliseconds, all positive. Names and meaning as the configs `controller.quorum.*`. */
export interface RaftTimeouts {
  readonly electionTimeoutMs: number;
  readonly electionBackoffMaxMs: number;
  readonly fetchTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
}

/** Longest a fetch waits at the leader for something new. */
export const FETCH_MAX_WAIT_MS = 500;
/** Most bytes of records, or of a snapshot, in one answer. */
export const MAX_FETCH_BYTES = 8 * 1024 * 1024;
/** An observer that has not fetched for so long is no longer known to the leader. */
export const OBSERVER_SESSION_MS = 300_000;

/** A fresh election timeout: between one and two times the configured one, so that voters do not all stand at once. */
export function randomElectionTimeoutMs(timeouts: RaftTimeouts, random: Random): number {
  return timeouts.electionTimeoutMs + random.below(timeouts.electionTimeoutMs);
}

/** A leader resigns that has not heard of a majority for so long. */
export function checkQuorumTimeoutMs(timeouts: RaftTimeouts): number {
  return Math.ceil(timeouts.fetchTimeoutMs * 1.5);
}

/**
 * How long a voter waits after its leader resigned before it stands for election: the first of the preferred successors not at all, each further one twice as long
 * as the one before, and who is not among them the longest.
 */
export function successionBackoffMs(position: number, total: number, timeouts: RaftTimeouts): number {
  const maxMs = timeouts.electionBackoffMaxMs;
  if (position === 0) return 0;
  if (position < 0 || position >= total) return maxMs;
  return Math.min(maxMs, Math.floor(maxMs / 2 ** (total - 1)) * 2 ** (position - 1));
}
