import { PersistentSet } from '../base/timeline-set.ts';

/** So many members are kept as a list; a broker seldom has more partitions of one topic. */
const MAX_LISTED = 32;

/** An immutable set of partition numbers, small in memory while it has few members. */
export type MemberSet = readonly number[] | PersistentSet<number>;

/** The set without members. */
export const NO_MEMBERS: MemberSet = [];

/** The set with `member` as well. */
export function withMember(set: MemberSet, member: number): MemberSet {
  if (set instanceof PersistentSet) return set.add(member);
  if (set.includes(member)) return set;
  return set.length < MAX_LISTED ? [...set, member] : PersistentSet.of([...set, member]);
}

/** The set without `member`. */
export function withoutMember(set: MemberSet, member: number): MemberSet {
  return set instanceof PersistentSet ? set.delete(member) : set.filter((one) => one !== member);
}

/** True if the set has no members. */
export function isEmpty(set: MemberSet): boolean {
  return set instanceof PersistentSet ? set.size === 0 : set.length === 0;
}
