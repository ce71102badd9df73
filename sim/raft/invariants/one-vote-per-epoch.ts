import type { Uuid } from '../../../src/base/uuid.ts';
import type { CastVote, SimNode } from '../node.ts';
import { type Invariant, RaftViolation } from './invariant.ts';

/** A vote that was told is the only one of its directory in that epoch, and is on disk. */
export class OneVotePerEpoch implements Invariant {
  readonly invariant = 'a vote is cast once per epoch and survives a restart';
  readonly #last = new Map<Uuid, CastVote>();

  voted(node: SimNode, vote: CastVote): void {
    if (vote.preVote) return;
    const { directoryId } = node.disk;
    const last = this.#last.get(directoryId);
    if (last !== undefined && last.epoch === vote.epoch && last.candidateId !== vote.candidateId) {
      const detail = `${node.id} votes for ${vote.candidateId} in epoch ${vote.epoch}, having voted for ${last.candidateId}`;
      throw new RaftViolation(this, detail, [node.id, vote.candidateId, last.candidateId]);
    }
    if (last === undefined || vote.epoch > last.epoch) this.#last.set(directoryId, vote);
  }

  started(node: SimNode): void {
    const last = this.#last.get(node.disk.directoryId);
    const { election } = node.disk;
    if (last === undefined) return;
    const isKept =
      election !== null &&
      (election.epoch > last.epoch ||
        (election.epoch === last.epoch && election.votedId === last.candidateId));
    if (isKept) return;
    const detail = `${node.id} voted for ${last.candidateId} in epoch ${last.epoch}; on its disk is ${election?.votedId} in ${election?.epoch}`;
    throw new RaftViolation(this, detail, [node.id, last.candidateId]);
  }
}
