import type { Quorum } from '../quorum.ts';
import { sendEndQuorumEpoch } from '../quorum-epochs.ts';

/** Resigned: tells every voter that the epoch is over, and takes part again in the next one. */
export function pollResigned(quorum: Quorum): void {
  const { role, nowMs } = quorum;
  if (role.name !== 'resigned') return;
  if (!quorum.isShuttingDown && role.electionDeadlineMs <= nowMs) {
    if (quorum.voters.isOnlyVoter(quorum.key)) return quorum.becomeProspective();
    return quorum.becomeUnattached(quorum.epoch + 1);
  }
  for (const voterId of role.unacknowledged) sendEndQuorumEpoch(quorum, voterId, role.preferredSuccessors);
}
