import { fetchFromBootstrap, fetchFromLeader } from '../fetching.ts';
import type { Quorum } from '../quorum.ts';
import type { FollowerState } from '../role-states.ts';
import { nodeDestination } from '../sending.ts';
import { sendAddVoter, sendRemoveVoter, sendUpdateVoter } from '../voter-requests.ts';

/** Follower: fetches from the leader, through a bootstrap server while the leader does not answer; a voter asks for pre-votes when it has not answered in time. */
export function pollFollower(quorum: Quorum): void {
  const { role, nowMs } = quorum;
  if (role.name !== 'follower' || quorum.isShuttingDown) return;
  if (quorum.mayStand && role.fetchDeadlineMs <= nowMs) return quorum.becomeProspective();
  if (role.updateVoterDeadlineMs <= nowMs && tellLeader(quorum, role)) return;
  fetchNext(quorum, role);
}

/** Has the quorum know this node as it is. True if a request for that was sent, or must be before anything else is. */
function tellLeader(quorum: Quorum, role: FollowerState): boolean {
  const { history, options, voters } = quorum;
  const { fetchTimeoutMs } = options.timeouts;
  const isDynamic = history.kraftVersion > 0;
  let isSent: boolean;
  if (quorum.isVoter) {
    const isDue = isDynamic ? voters.needsUpdate(quorum.ownVoter) : !role.hasUpdatedLeader;
    isSent = isDue && sendUpdateVoter(quorum, role);
    if (isDue && !isSent) return false;
  } else {
    if (!isDynamic || !options.canBecomeVoter || !options.autoJoin) return false;
    const former = voters.get(options.nodeId);
    isSent = former === null ? sendAddVoter(quorum, role) : sendRemoveVoter(quorum, role, former);
    if (!isSent) return false;
  }
  role.updateVoterDeadlineMs = quorum.nowMs + fetchTimeoutMs;
  return isSent;
}

function fetchNext(quorum: Quorum, role: FollowerState): void {
  const { requests, nowMs } = quorum;
  const leader = nodeDestination(quorum, role.leaderId, role.leaderEndpoints);
  if (leader === null) return fetchFromBootstrap(quorum);
  if (requests.hasTimedOut(leader, nowMs)) {
    requests.forget(leader);
    requests.failed(leader, nowMs);
  }
  if (requests.isBackingOff(leader, nowMs)) return fetchFromBootstrap(quorum);
  if (!requests.hasAnyInFlight(nowMs)) fetchFromLeader(quorum, role, leader);
}
