import { ZERO_UUID, type Uuid } from '../base/uuid.ts';

/** Where a voter listens, by the name of the listener. */
export interface Endpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** A replica of the metadata log. The directory id is `ZERO_UUID` where it is not known: such a key stands for every directory of the node. */
export interface ReplicaKey {
  readonly id: number;
  readonly directoryId: Uuid;
}

/** A voter, as the control record KRAFT_VOTERS has it (formats §7). */
export interface Voter {
  readonly voterId: number;
  readonly voterDirectoryId: Uuid;
  readonly endpoints: readonly Endpoint[];
  /** Range of kraft.version that the voter can work with; both inclusive. */
  readonly minSupportedVersion: number;
  readonly maxSupportedVersion: number;
}

/** True if both name the same replica. A key without directory id names none but itself. */
export function sameReplica(a: ReplicaKey, b: ReplicaKey): boolean {
  return a.id === b.id && a.directoryId === b.directoryId;
}

/** The key as messages and transcripts show it. */
export function formatKey(key: ReplicaKey): string {
  return key.directoryId === ZERO_UUID ? `${key.id}` : `${key.id}:${key.directoryId}`;
}

/** The key of a voter. */
export function keyOf(voter: Voter): ReplicaKey {
  return { id: voter.voterId, directoryId: voter.voterDirectoryId };
}

/** The voters of the quorum at one point of the log (KIP-853). Immutable; at most one entry per node id. */
export class VoterSet {
  readonly #voters: ReadonlyMap<number, Voter>;

  constructor(voters: Iterable<Voter>) {
    const sorted = [...voters].sort((a, b) => a.voterId - b.voterId);
    this.#voters = new Map(sorted.map((voter) => [voter.voterId, voter]));
  }

  get size(): number {
    return this.#voters.size;
  }

  /** How many of them decide. */
  get majority(): number {
    return Math.floor(this.size / 2) + 1;
  }

  /** Ascending. */
  get ids(): readonly number[] {
    return [...this.#voters.keys()];
  }

  /** In ascending order of their ids. */
  get voters(): readonly Voter[] {
    return [...this.#voters.values()];
  }

  get(id: number): Voter | null {
    return this.#voters.get(id) ?? null;
  }

  /** The voter's endpoints; none if it is not a voter. */
  endpointsOf(id: number): readonly Endpoint[] {
    return this.#voters.get(id)?.endpoints ?? [];
  }

  /** True if the replica is a voter. An entry without directory id stands for whichever the node has. */
  isVoter(key: ReplicaKey): boolean {
    const voter = this.#voters.get(key.id);
    if (voter === undefined) return false;
    return voter.voterDirectoryId === ZERO_UUID || voter.voterDirectoryId === key.directoryId;
  }

  isOnlyVoter(key: ReplicaKey): boolean {
    return this.size === 1 && this.isVoter(key);
  }

  /** The set with one more; null when its id is taken. */
  with(voter: Voter): VoterSet | null {
    if (this.#voters.has(voter.voterId)) return null;
    return new VoterSet([...this.#voters.values(), voter]);
  }

  /** The set without one; null when it is not in it, or is the last. */
  without(key: ReplicaKey): VoterSet | null {
    if (!this.isVoter(key) || this.size === 1) return null;
    return new VoterSet(this.voters.filter(({ voterId }) => voterId !== key.id));
  }

  /** The set with the voter's entry replaced; null when the same replica is not in it. */
  updated(voter: Voter): VoterSet | null {
    return this.isVoter(keyOf(voter)) ? this.replaced(voter) : null;
  }

  /** As `updated`, for a set in which directory ids are not kept yet (kraft.version 0): the node id decides. */
  replaced(voter: Voter): VoterSet | null {
    if (!this.#voters.has(voter.voterId)) return null;
    return new VoterSet(this.voters.map((one) => (one.voterId === voter.voterId ? voter : one)));
  }

  /** True if the replica is a voter whose entry says something else about it. */
  needsUpdate(voter: Voter): boolean {
    const entry = this.#voters.get(voter.voterId);
    return entry !== undefined && this.isVoter(keyOf(voter)) && !sameVoter(entry, voter);
  }

  equals(other: VoterSet): boolean {
    if (this.size !== other.size) return false;
    return this.voters.every((voter) => {
      const theirs = other.get(voter.voterId);
      return theirs !== null && sameVoter(voter, theirs);
    });
  }

  /** True if they differ in one voter at most: then every majority of one meets every majority of the other. */
  overlaps(other: VoterSet): boolean {
    const gone = this.voters.filter((voter) => !other.has(voter)).length;
    const come = other.voters.filter((voter) => !this.has(voter)).length;
    return gone + come <= 1;
  }

  /** True if the node with that directory is in it; an unknown directory on either side matches. */
  has(voter: Voter): boolean {
    const entry = this.#voters.get(voter.voterId);
    if (entry === undefined) return false;
    return (
      entry.voterDirectoryId === ZERO_UUID ||
      voter.voterDirectoryId === ZERO_UUID ||
      entry.voterDirectoryId === voter.voterDirectoryId
    );
  }

  toString(): string {
    return `{${this.voters.map((voter) => formatKey(keyOf(voter))).join(', ')}}`;
  }
}

function sameVoter(a: Voter, b: Voter): boolean {
  if (a.voterDirectoryId !== b.voterDirectoryId || a.endpoints.length !== b.endpoints.length) return false;
  if (a.minSupportedVersion !== b.minSupportedVersion || a.maxSupportedVersion !== b.maxSupportedVersion) {
    return false;
  }
  return a.endpoints.every((endpoint) =>
    b.endpoints.some(
      (one) => one.name === endpoint.name && one.host === endpoint.host && one.port === endpoint.port,
    ),
  );
}
