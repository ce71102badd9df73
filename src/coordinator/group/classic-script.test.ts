import { ErrorCode } from '../../base/errors.ts';
import type { GroupMetadataKey, GroupMetadataValue } from '../../protocol/records/group-metadata.ts';
import type { OffsetCommitKey, OffsetCommitValue } from '../../protocol/records/offset-commit.ts';
import type { CoordinatorRecord } from '../runtime/coordinator-record.ts';
import { ClassicGroup } from './classic/classic-group.ts';
import type { JoinAnswer, MemberProtocol, SyncAnswer } from './classic/classic-member.ts';
import type { GroupConfig } from './group-config.ts';
import { type Fate, GroupBench } from './group-harness.test.ts';
import { GROUP_METADATA } from './group-records.ts';
import type { FetchedGroupAnswer } from './offsets/offset-fetch.ts';

/** Outcomes of a JoinGroup by which a client knows its id. */
const LEARNED: ReadonlySet<number> = new Set([ErrorCode.NONE, ErrorCode.MEMBER_ID_REQUIRED]);
const UUID_LENGTH = 36;

/** `name=value` words of a command. */
type Arguments = ReadonlyMap<string, string>;

const NAMES = new Map<number, string>(Object.entries(ErrorCode).map(([name, code]) => [code, name]));

/**
 * Plays a transcript of commands against a shard and gives what came of each: records, answers, and the state of groups where it has changed. Member ids are told by the name of
 * the client that they were given to, with a number from the second on.
 *
 *     join A [new] [v=9] [group=g] [session=10000] [rebalance=20000] [type=consumer] [protocols=range:x,sticky:y] [instance=i] [as=NAME]
 *     sync A gen=1 [A=x] [B=y]         heartbeat A gen=1 [instance=i]       leave A B [instance=i] [as=NAME]
 *     commit A|- gen=1 t-0=5 [v=9]     offsets [group=g] [stable]           forget t-0 [group=g]
 *     list [states=Stable] [types=..]  describe [group=g] [v=6]             delete g
 *     advance MS                       fate commit|write|fail|hold          committed      restart
 */
export class ClassicScript {
  readonly bench: GroupBench;
  #lines: string[] = [];
  /** The client that joined last with a client or instance id: member ids begin with either. */
  readonly #clients = new Map<string, string>();
  /** Names by member id, and the present member id of a client. */
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  #states = new Map<string, string>();

  constructor(config: Partial<GroupConfig>) {
    this.bench = new GroupBench(config);
    this.bench.onRecord = (record) => this.#lines.push(`  record ${this.#describeRecord(record)}`);
  }

  /** Runs one command; its outcome, a line each. */
  run(command: string): string[] {
    this.#lines = [];
    const words = command.split(/\s+/);
    const verb = words[0] ?? '';
    const plain = words.slice(1).filter((word) => !word.includes('='));
    const named = new Map(
      words
        .filter((word) => word.includes('='))
        .map((word) => {
          const at = word.indexOf('=');
          return [word.slice(0, at), word.slice(at + 1)];
        }),
    );
    this.#do(verb, plain, named);
    this.#tellStates();
    return this.#lines.length === 0 ? ['  -'] : this.#lines;
  }

  #do(verb: string, plain: readonly string[], named: Arguments): void {
    const { bench } = this;
    const [first = ''] = plain;
    if (verb === 'join') this.#join(first, plain.includes('new'), named);
    else if (verb === 'sync') this.#sync(first, named);
    else if (verb === 'heartbeat') this.#heartbeat(first, named);
    else if (verb === 'leave') this.#leave(plain, named);
    else if (verb === 'commit') this.#commit(first, named);
    else if (verb === 'offsets') this.#offsets(plain.includes('stable'), named);
    else if (verb === 'forget') this.#forget(plain, named);
    else if (verb === 'list') this.#list(named);
    else if (verb === 'describe') this.#describe(named);
    else if (verb === 'delete') this.#delete(plain);
    else if (verb === 'advance') bench.advance(Number(first));
    else if (verb === 'fate') {
      bench.fate = first as Fate;
      bench.settle();
    } else if (verb === 'committed') bench.commit();
    else if (verb === 'restart') bench.restart();
    else throw new Error(`no such command: ${verb}`);
  }

  #join(client: string, isNew: boolean, named: Arguments): void {
    this.#clients.set(client, client);
    const instance = named.get('instance');
    if (instance !== undefined) this.#clients.set(instance, client);
    if (isNew) this.#ids.delete(client);
    const protocols: MemberProtocol[] = (named.get('protocols') ?? 'range:x')
      .split(',')
      .filter((text) => text !== '')
      .map((text) => {
        const [name = '', data = ''] = text.split(':');
        return { name, metadata: subscription(data) };
      });
    const request = {
      groupId: groupOf(named),
      sessionTimeoutMs: Number(named.get('session') ?? 10_000),
      rebalanceTimeoutMs: Number(named.get('rebalance') ?? 20_000),
      memberId: named.has('as')
        ? (this.#ids.get(named.get('as') ?? '') ?? (named.get('as') as string))
        : (this.#ids.get(client) ?? ''),
      groupInstanceId: named.get('instance') ?? null,
      protocolType: named.get('type') ?? 'consumer',
      protocols,
      reason: null,
    };
    const caller = { clientId: client, clientHost: '10.0.0.1', apiVersion: Number(named.get('v') ?? 9) };
    let answered = false;
    const answer = (joined: JoinAnswer): void => {
      if (answered) return;
      answered = true;
      if (LEARNED.has(joined.errorCode ?? 0)) this.#learn(client, joined.memberId);
      this.#lines.push(`  ${client} joined ${this.#describeJoin(joined)}`);
    };
    this.bench.write(
      (shard) => shard.join(caller, request, answer),
      () => {},
    );
    // Without a delay the first rebalance is due at the next tick.
    if (this.bench.config.initialRebalanceDelayMs === 0) this.bench.advance(1);
  }

  #sync(client: string, named: Arguments): void {
    const reserved = new Set(['gen', 'group', 'instance', 'type', 'protocol', 'as']);
    const request = {
      groupId: groupOf(named),
      generationId: Number(named.get('gen') ?? 1),
      memberId: this.#ids.get(named.get('as') ?? client) ?? '?',
      groupInstanceId: named.get('instance') ?? null,
      protocolType: named.get('type') ?? 'consumer',
      protocolName: named.get('protocol') ?? null,
      assignments: [...named]
        .filter(([name]) => !reserved.has(name))
        .map(([name, text]) => ({ memberId: this.#ids.get(name) ?? name, assignment: Buffer.from(text) })),
    };
    const answer = ({ errorCode, assignment }: SyncAnswer): void => {
      this.#lines.push(`  ${client} synced ${errorName(errorCode)} assignment=${assignment.toString()}`);
    };
    this.bench.write(
      (shard) => shard.sync(request, answer),
      (errorCode) => this.#fail(client, errorCode),
    );
  }

  #heartbeat(client: string, named: Arguments): void {
    const request = {
      groupId: groupOf(named),
      generationId: Number(named.get('gen') ?? 1),
      memberId: this.#ids.get(named.get('as') ?? client) ?? '?',
      groupInstanceId: named.get('instance') ?? null,
    };
    this.bench.write(
      (shard) => shard.heartbeat(request),
      (errorCode, response) =>
        this.#lines.push(`  ${client} heartbeat ${errorName(response?.errorCode ?? errorCode)}`),
    );
  }

  #leave(clients: readonly string[], named: Arguments): void {
    const instance = named.get('instance') ?? null;
    const members =
      clients.length === 0
        ? [{ memberId: '', groupInstanceId: instance, reason: null }]
        : clients.map((client) => ({
            memberId: this.#ids.get(client) ?? '?',
            groupInstanceId: instance,
            reason: null,
          }));
    this.bench.write(
      (shard) => shard.leave({ groupId: groupOf(named), members }),
      (errorCode, response) => {
        const outcomes = (response?.members ?? []).map((member) => errorName(member.errorCode));
        this.#lines.push(
          `  left ${errorName(response?.errorCode ?? errorCode)} ${outcomes.join(' ')}`.trimEnd(),
        );
      },
    );
  }

  #commit(client: string, named: Arguments): void {
    const topics = [...named]
      .filter(([name]) => /-\d+$/.test(name))
      .map(([name, offset]) => {
        const { topic, partition } = split(name);
        const committed = {
          partitionIndex: partition,
          committedOffset: Number(offset),
          committedLeaderEpoch: -1,
        };
        return {
          name: topic,
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          partitions: [{ ...committed, committedMetadata: named.get('metadata') ?? null }],
        };
      });
    const request = {
      groupId: groupOf(named),
      generationIdOrMemberEpoch: Number(named.get('gen') ?? -1),
      memberId: client === '-' ? '' : (this.#ids.get(client) ?? '?'),
      groupInstanceId: named.get('instance') ?? null,
      retentionTimeMs: Number(named.get('retention') ?? -1),
      topics,
    };
    this.bench.write(
      (shard) => shard.commitOffsets(request, Number(named.get('v') ?? 9)),
      (errorCode, response) => {
        const codes = response?.topics.flatMap(({ partitions }) =>
          partitions.map((each) => errorName(each.errorCode)),
        );
        this.#lines.push(`  committed ${codes?.join(' ') ?? errorName(errorCode)}`);
      },
    );
  }

  #offsets(stable: boolean, named: Arguments): void {
    const request = { groupId: groupOf(named), memberId: null, memberEpoch: -1, topics: null };
    const tell = (answer: FetchedGroupAnswer | null): void => {
      const topics = answer?.topics ?? [];
      const offsets = topics.flatMap(({ name, partitions }) =>
        (partitions ?? []).map((each) => {
          const told =
            each.errorCode === ErrorCode.NONE ? String(each.committedOffset) : errorName(each.errorCode);
          return `${name}-${each.partitionIndex}=${told}`;
        }),
      );
      this.#lines.push(`  offsets ${offsets.sort().join(' ')}`.trimEnd());
    };
    if (stable)
      this.bench.write(
        (shard) => shard.fetchStableOffsets(request),
        (_, answer) => tell(answer),
      );
    else {
      this.bench.shard.read(
        (shard) => shard.fetchCommittedOffsets(request),
        this.bench.now,
        (_, outcome) => tell(outcome?.answer ?? null),
      );
    }
  }

  #forget(names: readonly string[], named: Arguments): void {
    const topics = names.map((name) => {
      const { topic, partition } = split(name);
      return { name: topic, partitions: [{ partitionIndex: partition }] };
    });
    this.bench.write(
      (shard) => shard.deleteOffsets({ groupId: groupOf(named), topics }),
      (errorCode, response) => {
        const codes = (response?.topics ?? []).flatMap(({ partitions }) =>
          partitions.map((each) => errorName(each.errorCode)),
        );
        this.#lines.push(
          `  forgot ${errorName(response?.errorCode ?? errorCode)} ${codes.join(' ')}`.trimEnd(),
        );
      },
    );
  }

  #list(named: Arguments): void {
    const filters = {
      statesFilter: named.get('states')?.split(',') ?? [],
      typesFilter: named.get('types')?.split(',') ?? [],
    };
    this.bench.shard.read(
      (shard) => shard.list(filters),
      this.bench.now,
      (_, groups) => {
        for (const { groupId, protocolType, groupState, groupType } of groups ?? []) {
          this.#lines.push(`  ${groupId} ${groupType} ${groupState} protocolType=${protocolType}`);
        }
      },
    );
  }

  #describe(named: Arguments): void {
    const groupId = groupOf(named);
    this.bench.shard.read(
      (shard) => shard.describe(groupId, Number(named.get('v') ?? 6)),
      this.bench.now,
      (_, group) => {
        if (group === null) return;
        const { errorCode, groupState, protocolType, protocolData } = group;
        this.#lines.push(
          `  ${errorName(errorCode)} ${groupState} type=${protocolType} protocol=${protocolData}`,
        );
        for (const { memberId, clientId, clientHost, memberMetadata, memberAssignment } of group.members) {
          const name = this.#name(memberId);
          this.#lines.push(
            `    ${name} client=${clientId} host=${clientHost} metadata=${memberMetadata.length > 0 ? 'yes' : 'no'} assignment=${memberAssignment.toString()}`,
          );
        }
      },
    );
  }

  #delete(groupIds: readonly string[]): void {
    this.bench.write(
      (shard) => shard.delete(groupIds),
      (errorCode, results) => {
        for (const result of results ?? [])
          this.#lines.push(`  deleted ${result.groupId} ${errorName(result.errorCode)}`);
        if (results === null) this.#lines.push(`  deleted ${errorName(errorCode)}`);
      },
    );
  }

  #fail(client: string, errorCode: ErrorCode): void {
    if (errorCode !== ErrorCode.NONE) this.#lines.push(`  ${client} failed ${errorName(errorCode)}`);
  }

  // Telling.

  #learn(client: string, memberId: string): void {
    if (memberId === '') return;
    if (!this.#names.has(memberId)) {
      const base = client;
      const taken = [...this.#names.values()].filter((name) => name.replace(/\d+$/, '') === base).length;
      this.#names.set(memberId, taken === 0 ? base : `${base}${taken + 1}`);
    }
    this.#ids.set(client, memberId);
    this.#ids.set(this.#name(memberId), memberId);
  }

  #name(memberId: string): string {
    if (memberId === '') return '""';
    const known = this.#names.get(memberId);
    if (known !== undefined) return known;
    if (memberId.length < UUID_LENGTH) return memberId;
    const prefix = memberId.slice(0, -UUID_LENGTH - 1);
    this.#learn(this.#clients.get(prefix) ?? prefix, memberId);
    return this.#names.get(memberId) as string;
  }

  #describeJoin(joined: JoinAnswer): string {
    if (joined.errorCode !== ErrorCode.NONE)
      return `${errorName(joined.errorCode)} as ${this.#name(joined.memberId)}`;
    const members = joined.members.map(({ memberId }) => this.#name(memberId)).sort();
    const skip = joined.skipAssignment === true ? ' skipAssignment' : '';
    return `gen=${joined.generationId} ${joined.protocolName} as ${this.#name(joined.memberId)} leader=${this.#name(joined.leader)} members=[${members.join(' ')}]${skip}`;
  }

  #describeRecord({ type, key, value }: CoordinatorRecord): string {
    if (type === GROUP_METADATA) {
      const { group } = key as GroupMetadataKey;
      const metadata = value as GroupMetadataValue | null;
      if (metadata === null) return `group ${group} tombstone`;
      const members = metadata.members.map(
        ({ memberId, assignment }) => `${this.#name(memberId)}:${assignment.toString()}`,
      );
      const leader = metadata.leader === null ? '-' : this.#name(metadata.leader);
      return `group ${group} gen=${metadata.generation} ${metadata.protocolType}/${metadata.protocol ?? '-'} leader=${leader} [${members.sort().join(' ')}]`;
    }
    const { group, topic, partition } = key as OffsetCommitKey;
    const offset = value as OffsetCommitValue | null;
    return `offset ${group} ${topic}-${partition} ${offset === null ? 'tombstone' : offset.offset}`;
  }

  #tellStates(): void {
    const states = new Map<string, string>();
    for (const group of this.bench.shard.coordinator.state.groups.view().values()) {
      const generation = group instanceof ClassicGroup ? ` gen=${group.generationId}` : '';
      states.set(group.groupId, `${group.stateText}${generation}`);
    }
    for (const [groupId, text] of states) {
      if (this.#states.get(groupId) !== text) this.#lines.push(`  ${groupId} is ${text}`);
    }
    for (const groupId of this.#states.keys())
      if (!states.has(groupId)) this.#lines.push(`  ${groupId} is gone`);
    this.#states = states;
  }
}

function groupOf(named: Arguments): string {
  return named.get('group') ?? 'g';
}

function split(name: string): { readonly topic: string; readonly partition: number } {
  const at = name.lastIndexOf('-');
  return { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) };
}

function errorName(errorCode: number | undefined): string {
  return NAMES.get(errorCode ?? 0) ?? String(errorCode);
}

/** A consumer's subscription, version 0, to one topic. */
function subscription(topic: string): Buffer {
  const name = Buffer.from(topic);
  const out = Buffer.alloc(2 + 4 + 2 + name.length + 4);
  out.writeInt32BE(1, 2);
  out.writeInt16BE(name.length, 6);
  name.copy(out, 8);
  out.writeInt32BE(-1, 8 + name.length);
  return out;
}
