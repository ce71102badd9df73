import { fetchFromBootstrap } from '../fetching.ts';
import type { Quorum } from '../quorum.ts';

/** Unattached: asks the bootstrap servers who leads; a voter stands for election when nobody has said so in time. */
export function pollUnattached(quorum: Quorum): void {
  const { role, nowMs } = quorum;
  if (role.name !== 'unattached') return;
  if (quorum.mayStand) {
    if (quorum.isShuttingDown) return;
    const isAlone = quorum.voters.isOnlyVoter(quorum.key);
    if (isAlone || role.electionDeadlineMs <= nowMs) return quorum.becomeProspective();
  }
  fetchFromBootstrap(quorum);
}
