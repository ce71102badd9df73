import { HeldByMajority } from './held-by-majority.ts';
import { ImagesAreEqual } from './images-are-equal.ts';
import type { Facts, Invariant } from './invariant.ts';
import { LeaderCompleteness } from './leader-completeness.ts';
import { LeaderLoadsNoSnapshot } from './leader-loads-no-snapshot.ts';
import { LogsMatch } from './logs-match.ts';
import { NeverBack } from './never-back.ts';
import { OneEntryPerPlace } from './one-entry-per-place.ts';
import { OneLeaderPerEpoch } from './one-leader-per-epoch.ts';
import { OneVotePerEpoch } from './one-vote-per-epoch.ts';
import { OneVoterChangeAtATime } from './one-voter-change-at-a-time.ts';
import { OwnEpochCommits } from './own-epoch-commits.ts';
import { PreVoteSparesTheLeader } from './pre-vote-spares-the-leader.ts';
import { SnapshotIsReplay } from './snapshot-is-replay.ts';

/** The invariants of a run, in the order in which they look at an event. */
export function allInvariants(facts: Facts): readonly Invariant[] {
  return [
    new OwnEpochCommits(),
    new HeldByMajority(facts),
    new LogsMatch(facts),
    new OneLeaderPerEpoch(),
    new OneEntryPerPlace(),
    new LeaderCompleteness(facts),
    new NeverBack(),
    new OneVotePerEpoch(),
    new PreVoteSparesTheLeader(facts),
    new OneVoterChangeAtATime(facts),
    new LeaderLoadsNoSnapshot(),
    new SnapshotIsReplay(facts),
    new ImagesAreEqual(facts),
  ];
}
