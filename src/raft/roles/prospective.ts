import type { Quorum } from '../quorum.ts';
import { sendVotes } from '../votes.ts';

/** Prospective: asks for pre-votes; stands for election with a majority of them, else waits for a leader again. */
export function pollProspective(quorum: Quorum): void {
  const { role, nowMs } = quorum;
  if (role.name !== 'prospective') return;
  if (role.votes.isWon && !quorum.isShuttingDown) return quorum.becomeCandidate();
  const isOver = role.votes.isLost || role.electionDeadlineMs <= nowMs;
  if (isOver && !quorum.isShuttingDown) {
    const { leaderId, leaderEndpoints } = quorum;
    if (leaderId >= 0 && leaderEndpoints.length > 0) {
      return quorum.becomeFollower(quorum.epoch, leaderId, leaderEndpoints);
    }
    return quorum.becomeUnattached(quorum.epoch, leaderId);
  }
  sendVotes(quorum);
}
