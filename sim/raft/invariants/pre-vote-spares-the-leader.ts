import type { CastVote, SimNode } from '../node.ts';
import { type Facts, type Invariant, RaftViolation } from './invariant.ts';

/** Who leads, or follows a leader it has heard of within the fetch timeout, grants nobody a pre-vote (KIP-996). */
export class PreVoteSparesTheLeader implements Invariant {
  readonly invariant = 'no pre-vote is granted while the leader lives';
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  voted(node: SimNode, vote: CastVote): void {
    const { member } = node;
    if (!vote.preVote || member === null) return;
    const { role, epoch, leaderId } = member.machine;
    const leader = this.#facts.nodes.get(leaderId)?.member;
    const isNear =
      leader?.isLeading === true &&
      leader.machine.epoch === epoch &&
      member.heard.epoch === epoch &&
      member.localMs - member.heard.atMs < member.options.timeouts.fetchTimeoutMs;
    if (role !== 'leader' && !(role === 'follower' && isNear)) return;
    throw new RaftViolation(
      this,
      `${node.id}, ${role} in epoch ${epoch}, grants ${vote.candidateId} a pre-vote`,
      [node.id, vote.candidateId],
    );
  }
}
