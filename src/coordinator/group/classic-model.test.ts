import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ErrorCode } from '../../base/errors.ts';
import type { JoinAnswer, SyncAnswer } from './classic/classic-member.ts';
import { ClassicGroup } from './classic/classic-group.ts';
import { type Fate, GroupBench } from './group-harness.test.ts';

const GROUP = 'g';
const PARTITIONS = [0, 1, 2, 3, 4, 5];
const CLIENTS = 4;
const SESSION_TIMEOUT_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 15_000;

type Action =
  | { readonly kind: 'step' | 'commit' | 'leave' | 'crash'; readonly client: number }
  | { readonly kind: 'round' }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'fate'; readonly fate: Fate }
  | { readonly kind: 'restart'; readonly answer: boolean };

/** A consumer that does what the protocol asks of it, one thing at a time. */
class Consumer {
  readonly #bench: GroupBench;
  readonly #name: string;
  readonly #instance: string | null;
  memberId = '';
  generationId = -1;
  /** Told of each generation that a leader is given. */
  onLed: (generationId: number, members: readonly string[]) => void = () => {};
  /** What it does next; while it is `parked` it waits. */
  next: 'join' | 'sync' | 'heartbeat' = 'join';
  parked = false;
  /** Partitions it believes to have, in its generation. */
  owned: readonly number[] = [];
  alive = true;
  #members: readonly string[] = [];
  /** Answers to what an earlier life has asked are not for this one. */
  #life = 0;

  constructor(bench: GroupBench, index: number) {
    this.#bench = bench;
    this.#name = `c${index}`;
    this.#instance = index === 0 ? 'static' : null;
  }

  /** Ends without a word; the next step begins a new one. */
  crash(): void {
    this.#life++;
    this.#forget('');
  }

  /** The connection is gone, and with it what was parked. */
  disconnected(): void {
    this.#life++;
    if (this.parked && this.next !== 'heartbeat') this.next = 'join';
    this.parked = false;
  }

  #forget(memberId: string): void {
    this.memberId = memberId;
    this.owned = [];
    this.next = 'join';
    this.parked = false;
  }

  step(): void {
    if (this.parked) return;
    if (this.next === 'join') this.#join();
    else if (this.next === 'sync') this.#sync();
    else this.#heartbeat();
  }

  #join(): void {
    this.parked = true;
    this.owned = [];
    const life = this.#life;
    const request = {
      groupId: GROUP,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      memberId: this.memberId,
      groupInstanceId: this.#instance,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from('0000000000010001740000000000', 'hex') }],
      reason: null,
    };
    const caller = { clientId: this.#name, clientHost: 'h', apiVersion: 9 };
    const answer = (joined: JoinAnswer): void => {
      if (life !== this.#life || !this.parked || this.next !== 'join') return;
      this.#joined(joined);
    };
    this.#bench.write(
      (shard) => shard.join(caller, request, answer),
      (errorCode) => {
        if (errorCode !== ErrorCode.NONE && life === this.#life) this.parked = false;
      },
    );
  }

  #joined({ errorCode, memberId, generationId, members }: JoinAnswer): void {
    this.parked = false;
    if (errorCode === ErrorCode.NONE) {
      assert.ok(generationId !== undefined);
      this.memberId = memberId;
      this.generationId = generationId;
      this.#members = members.map((member) => member.memberId);
      if (this.#members.length > 0) this.onLed(generationId, this.#members);
      this.next = 'sync';
    } else if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.memberId = memberId;
    else if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID)
      this.#forget('');
  }

  #sync(): void {
    this.parked = true;
    const life = this.#life;
    const request = {
      groupId: GROUP,
      generationId: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.#instance,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: this.#members.map((memberId, i) => ({
        memberId,
        assignment: Buffer.from(PARTITIONS.filter((partition) => partition % this.#members.length === i)),
      })),
    };
    const answer = ({ errorCode, assignment }: SyncAnswer): void => {
      if (life !== this.#life || !this.parked || this.next !== 'sync') return;
      this.parked = false;
      if (errorCode === ErrorCode.NONE) {
        this.owned = [...assignment];
        this.next = 'heartbeat';
      } else this.#rejected(errorCode ?? 0);
    };
    this.#bench.write(
      (shard) => shard.sync(request, answer),
      (errorCode) => {
        if (errorCode !== ErrorCode.NONE && life === this.#life) this.parked = false;
      },
    );
  }

  #heartbeat(): void {
    const life = this.#life;
    this.parked = true;
    const { memberId, generationId } = this;
    this.#bench.write(
      (shard) => shard.heartbeat({ groupId: GROUP, generationId, memberId, groupInstanceId: this.#instance }),
      (errorCode, response) => {
        if (life !== this.#life) return;
        this.parked = false;
        this.#rejected(response?.errorCode ?? errorCode);
      },
    );
  }

  #rejected(errorCode: ErrorCode): void {
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.next = 'join';
    else if (errorCode === ErrorCode.ILLEGAL_GENERATION) this.next = 'join';
    else if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID)
      this.#forget('');
    if (this.next === 'join') this.owned = [];
  }

  leave(): void {
    const { memberId } = this;
    if (memberId === '' || this.parked) return;
    this.crash();
    this.#bench.write(
      (shard) =>
        shard.leave({ groupId: GROUP, members: [{ memberId, groupInstanceId: null, reason: null }] }),
      () => {},
    );
  }

  commit(partition: number, offset: number, done: (errorCode: ErrorCode) => void): void {
    const partitions = [
      {
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: -1,
        committedMetadata: null,
      },
    ];
    const request = {
      groupId: GROUP,
      generationIdOrMemberEpoch: this.generationId,
      memberId: this.memberId,
      groupInstanceId: this.#instance,
      retentionTimeMs: -1,
      topics: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitions }],
    };
    this.#bench.write(
      (shard) => shard.commitOffsets(request, 9),
      (errorCode, response) => done(response?.topics[0]?.partitions[0]?.errorCode ?? errorCode),
    );
  }
}

/** A group, its consumers, and what is known of what they were answered. */
class Model {
  readonly bench: GroupBench;
  readonly consumers: readonly Consumer[];
  /** By partition: the last offset that was answered, and those tried since, one of which may count. */
  readonly #committed = new Map<number, { answered: number; tried: Set<number> }>();
  #nextOffset = 1;
  #lastGeneration = 0;
  /** Members by generation, as leaders were told them. */
  readonly #memberships = new Map<number, string>();

  constructor(seed: number) {
    this.bench = new GroupBench({ initialRebalanceDelayMs: 100 }, { seed });
    this.consumers = Array.from({ length: CLIENTS }, (_, i) => new Consumer(this.bench, i));
    for (const consumer of this.consumers) {
      consumer.onLed = (generationId, members) => this.#led(generationId, members);
    }
  }

  run(action: Action): void {
    const { bench } = this;
    switch (action.kind) {
      case 'advance':
        bench.advance(action.ms);
        break;
      case 'round':
        for (const consumer of this.consumers) consumer.step();
        bench.advance(150);
        break;
      case 'fate':
        bench.fate = action.fate;
        bench.settle();
        if (action.fate === 'commit') bench.commit();
        break;
      case 'restart':
        bench.restart({ answer: action.answer });
        for (const consumer of this.consumers) consumer.disconnected();
        // What was not in the log may come again otherwise.
        this.#memberships.clear();
        this.#lastGeneration = this.#group()?.generationId ?? 0;
        break;
      case 'commit':
        this.#commit(this.consumers[action.client] as Consumer);
        break;
      default:
        this.consumers[action.client]?.[action.kind]();
    }
    this.check();
  }

  /** A leader that asks twice is told the same; a static member counts as itself under any id. */
  #led(generationId: number, members: readonly string[]): void {
    const told = members
      .map((memberId) => (memberId.startsWith('static-') ? 'static' : memberId))
      .sort()
      .join(' ');
    const before = this.#memberships.get(generationId) ?? told;
    assert.equal(told, before, `generation ${generationId} has the same members for ever`);
    this.#memberships.set(generationId, told);
  }

  #commit(consumer: Consumer): void {
    const [partition] = consumer.owned;
    if (partition === undefined) return;
    const offset = this.#nextOffset++;
    let known = this.#committed.get(partition);
    if (known === undefined) this.#committed.set(partition, (known = { answered: -1, tried: new Set() }));
    const entry = known;
    entry.tried.add(offset);
    consumer.commit(partition, offset, (errorCode) => {
      if (errorCode === ErrorCode.NONE && offset > entry.answered) {
        entry.answered = offset;
        for (const tried of entry.tried) if (tried <= offset) entry.tried.delete(tried);
      }
    });
  }

  #group(): ClassicGroup | null {
    const group = this.bench.shard.coordinator.state.groups.get(GROUP);
    return group instanceof ClassicGroup ? group : null;
  }

  check(): void {
    this.bench.shard.checkInvariants();
    const group = this.#group();
    if (group !== null) {
      assert.ok(group.generationId >= this.#lastGeneration, 'generations never go back');
      this.#lastGeneration = group.generationId;
    }
    this.#checkOwners(group);
    this.#checkCommits();
  }

  /** Of those who are in the present generation, no two have a partition; neither do members of the group itself. */
  #checkOwners(group: ClassicGroup | null): void {
    const generations = new Map<number, Set<number>>();
    for (const { owned, generationId } of this.consumers) {
      const taken = generations.get(generationId) ?? new Set();
      generations.set(generationId, taken);
      for (const partition of owned) {
        assert.ok(
          !taken.has(partition),
          `partition ${partition} has one owner in generation ${generationId}`,
        );
        taken.add(partition);
      }
    }
    if (group?.state !== 'Stable') return;
    const assigned = [...group.members.values()].flatMap(({ assignment }) => [...assignment]);
    assert.equal(new Set(assigned).size, assigned.length, 'the group gives a partition to one member');
  }

  #checkCommits(): void {
    const { offsets, context } = this.bench.shard.coordinator.state;
    const committed = context.committed(offsets.byGroup).get(GROUP)?.get('t');
    for (const [partition, { answered, tried }] of this.#committed) {
      const found = committed?.get(partition)?.committedOffset ?? -1;
      assert.ok(
        found === answered || tried.has(found),
        `partition ${partition}: ${found} is there, ${answered} was answered`,
      );
    }
  }

  /** Without further trouble everybody works after a session and a rebalance. */
  settle(): void {
    this.run({ kind: 'fate', fate: 'commit' });
    const endMs = this.bench.nowMs + 2 * SESSION_TIMEOUT_MS + 2 * REBALANCE_TIMEOUT_MS;
    while (this.bench.nowMs < endMs && !this.#isSettled()) {
      for (const consumer of this.consumers) consumer.step();
      this.bench.advance(500);
      this.check();
    }
    assert.ok(this.#isSettled(), 'the group settles when churn stops');
  }

  #isSettled(): boolean {
    const group = this.#group();
    if (group?.state !== 'Stable' || group.members.size !== CLIENTS) return false;
    const owned = this.consumers.flatMap((consumer) => [...consumer.owned]).sort((a, b) => a - b);
    const inStep = this.consumers.every(
      ({ generationId, next }) => next === 'heartbeat' && generationId === group.generationId,
    );
    return inStep && String(owned) === String(PARTITIONS);
  }
}

const client = fc.integer({ min: 0, max: CLIENTS - 1 });
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('step' as const), client }) },
  { weight: 12, arbitrary: fc.constant({ kind: 'round' as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'crash' as const), client }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 100, 1_000, 4_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fate' as const),
      fate: fc.constantFrom<Fate>('commit', 'write', 'fail', 'hold'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), answer: fc.boolean() }) },
);

test('whatever members, disks and restarts do: one owner a partition, generations rise, answered commits stay, and the group settles', () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(action, { maxLength: 120 }), (seed, actions) => {
      const model = new Model(seed);
      for (const each of actions) model.run(each);
      model.settle();
    }),
    { numRuns: 500 },
  );
});
