import type { CallbackTimer } from '../../../base/timer-wheel.ts';
import type { JoinGroupResponse } from '../../../protocol/messages/join-group.ts';
import type { SyncGroupResponse } from '../../../protocol/messages/sync-group.ts';
import type { InputOf } from '../../../protocol/schema.ts';
import type { Answer } from '../../runtime/coordinator-result.ts';

/** Answer to JoinGroup. */
export type JoinAnswer = InputOf<typeof JoinGroupResponse>;
/** Answer to SyncGroup. */
export type SyncAnswer = InputOf<typeof SyncGroupResponse>;

/** A protocol that a member can speak, with what it says in it; the bytes are the coordinator's. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** No assignment. */
export const NO_ASSIGNMENT: Buffer = Buffer.alloc(0);

/** What is known of a member of a classic group when it is made. */
export interface MemberInit {
  readonly memberId: string;
  /** Set for a static member (KIP-345). */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  /** With the slash that Java's addresses begin with. */
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  readonly assignment: Buffer;
}

/**
 * A member of a classic group. What is parked here (a JoinGroup that waits for the others, a SyncGroup that waits for the leader) lives as long as the shard is loaded.
 */
export class ClassicMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly protocolType: string;
  rebalanceTimeoutMs: number;
  sessionTimeoutMs: number;
  protocols: readonly MemberProtocol[];
  assignment: Buffer;
  /** Until its first join is answered; then it does not know its id yet and cannot send heartbeats. */
  isNew = false;
  awaitingJoin: Answer<JoinAnswer> | null = null;
  awaitingSync: Answer<SyncAnswer> | null = null;
  /** Its session; the group's to set. */
  session: CallbackTimer | null = null;

  constructor(init: MemberInit) {
    this.memberId = init.memberId;
    this.groupInstanceId = init.groupInstanceId;
    this.clientId = init.clientId;
    this.clientHost = init.clientHost;
    this.protocolType = init.protocolType;
    this.rebalanceTimeoutMs = init.rebalanceTimeoutMs;
    this.sessionTimeoutMs = init.sessionTimeoutMs;
    this.protocols = init.protocols;
    this.assignment = init.assignment;
  }

  /** True while a request of its own is parked: that counts as a heartbeat, except for a new member, whose client may be gone. */
  get hasSatisfiedHeartbeat(): boolean {
    return !this.isNew && (this.awaitingJoin !== null || this.awaitingSync !== null);
  }

  /** What it says in a protocol, or undefined when it does not speak it. */
  metadata(protocolName: string): Buffer | undefined {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata;
  }

  /** True if it would join with the very same protocols. */
  matches(protocols: readonly MemberProtocol[]): boolean {
    if (protocols.length !== this.protocols.length) return false;
    return protocols.every(({ name, metadata }, i) => {
      const own = this.protocols[i] as MemberProtocol;
      return own.name === name && own.metadata.equals(metadata);
    });
  }
}
