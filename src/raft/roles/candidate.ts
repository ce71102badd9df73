import type { Quorum } from '../quorum.ts';
import { sendVotes } from '../votes.ts';
import { beginLeading } from './leader.ts';

/** Candidate: asks for votes; leads with a majority of them, and after the timeout asks for pre-votes again. Lost early, it waits the timeout out. */
export function pollCandidate(quorum: Quorum): void {
  const { role, nowMs } = quorum;
  if (role.name !== 'candidate') return;
  if (role.votes.isWon) return beginLeading(quorum);
  if (!quorum.isShuttingDown && role.electionDeadlineMs <= nowMs) return quorum.becomeProspective();
  sendVotes(quorum);
}
