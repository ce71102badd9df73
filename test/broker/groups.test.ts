import assert from 'node:assert/strict';
import { ErrorCode } from '../../src/base/errors.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../../src/protocol/messages/create-topics.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from '../../src/protocol/messages/delete-groups.ts';
import {
  DescribeGroupsRequest,
  DescribeGroupsResponse,
} from '../../src/protocol/messages/describe-groups.ts';
import {
  FindCoordinatorRequest,
  FindCoordinatorResponse,
} from '../../src/protocol/messages/find-coordinator.ts';
import { HeartbeatRequest, HeartbeatResponse } from '../../src/protocol/messages/heartbeat.ts';
import { JoinGroupRequest, JoinGroupResponse } from '../../src/protocol/messages/join-group.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from '../../src/protocol/messages/leave-group.ts';
import { ListGroupsRequest, ListGroupsResponse } from '../../src/protocol/messages/list-groups.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from '../../src/protocol/messages/offset-commit.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from '../../src/protocol/messages/offset-delete.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../src/protocol/messages/offset-fetch.ts';
import { SyncGroupRequest, SyncGroupResponse } from '../../src/protocol/messages/sync-group.ts';
import type { TestClient } from './test-client.ts';
import { type TestWorld, testInWorlds, virtualWorld } from './worlds.ts';
import { test } from 'node:test';

const CREATE_TOPICS = { request: CreateTopicsRequest, response: CreateTopicsResponse };
const FIND = { request: FindCoordinatorRequest, response: FindCoordinatorResponse };
const COMMIT = { request: OffsetCommitRequest, response: OffsetCommitResponse };
const FETCH = { request: OffsetFetchRequest, response: OffsetFetchResponse };
const DELETE_OFFSETS = { request: OffsetDeleteRequest, response: OffsetDeleteResponse };
const JOIN = { request: JoinGroupRequest, response: JoinGroupResponse };
const SYNC = { request: SyncGroupRequest, response: SyncGroupResponse };
const HEARTBEAT = { request: HeartbeatRequest, response: HeartbeatResponse };
const LEAVE = { request: LeaveGroupRequest, response: LeaveGroupResponse };
const LIST = { request: ListGroupsRequest, response: ListGroupsResponse };
const DESCRIBE = { request: DescribeGroupsRequest, response: DescribeGroupsResponse };
const DELETE = { request: DeleteGroupsRequest, response: DeleteGroupsResponse };

const SETTINGS = { 'group.initial.rebalance.delay.ms': '0', 'offsets.topic.num.partitions': '4' };

/** A broker with topic `t` of four partitions and the topic of offsets. */
async function start(world: TestWorld, settings: Readonly<Record<string, string>> = {}) {
  const broker = await world.start({ ...SETTINGS, ...settings });
  const client = await world.connect(broker);
  const topics = [{ name: 't', numPartitions: 4, replicationFactor: 1, assignments: [], configs: [] }];
  const created = await world.wait(
    client.call(CREATE_TOPICS, 7, { topics, timeoutMs: 10_000, validateOnly: false }),
  );
  await world.wait(client.call(FIND, 4, { keyType: 0, coordinatorKeys: ['g'] }));
  return { broker, client, topicId: created.topics[0]?.topicId ?? '' };
}

function commit(client: TestClient, groupId: string, partition: number, offset: number, metadata = 'm') {
  return client.call(COMMIT, 9, {
    groupId,
    memberId: '',
    topics: [
      {
        name: 't',
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: 3,
            committedMetadata: metadata,
          },
        ],
      },
    ],
  });
}

async function committed(world: TestWorld, client: TestClient, groupId: string) {
  const { groups } = await world.wait(client.call(FETCH, 8, { groups: [{ groupId, topics: null }] }));
  const found: Record<string, number> = {};
  for (const { name, partitions } of groups[0]?.topics ?? []) {
    for (const { partitionIndex, committedOffset } of partitions)
      found[`${name}-${partitionIndex}`] = committedOffset;
  }
  return found;
}

function join(client: TestClient, memberId: string, fields: Partial<JoinGroupRequest> = {}, version = 9) {
  return client.call(JOIN, version, {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 20_000,
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('0001000000010001740000000000000000', 'hex') }],
    ...fields,
  });
}

/** Joins as a new member, with the id that it is given. */
async function joinNew(world: TestWorld, client: TestClient) {
  const first = await world.wait(join(client, ''));
  assert.equal(first.errorCode, ErrorCode.MEMBER_ID_REQUIRED);
  return await world.wait(join(client, first.memberId));
}

function sync(
  client: TestClient,
  memberId: string,
  generationId: number,
  assignments: Record<string, string> = {},
) {
  return client.call(SYNC, 5, {
    groupId: 'g',
    generationId,
    memberId,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: Object.entries(assignments).map(([member, text]) => ({
      memberId: member,
      assignment: Buffer.from(text),
    })),
  });
}

testInWorlds(
  'the coordinator of a group is found once the topic behind it is there, by every version',
  async (world) => {
    const broker = await world.start(SETTINGS);
    const client = await world.connect(broker);
    for (let version = 0; version <= 6; version++) {
      const request = version >= 4 ? { keyType: 0, coordinatorKeys: ['a', 'b'] } : { key: 'a', keyType: 0 };
      const answer = await world.wait(client.call(FIND, version, request as never));
      const found = version >= 4 ? answer.coordinators : [answer];
      assert.deepEqual(
        found.map(({ errorCode, nodeId, port }) => [errorCode, nodeId, port]),
        found.map(() => [ErrorCode.NONE, 1, broker.addresses[0]?.port]),
      );
    }
    const transactional = await world.wait(client.call(FIND, 4, { keyType: 1, coordinatorKeys: ['x'] }));
    assert.equal(transactional.coordinators[0]?.errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE);
  },
);

testInWorlds('what is committed is fetched, by every version and after a restart', async (world) => {
  const { broker, client } = await start(world);
  assert.equal(
    (await world.wait(commit(client, 'g', 0, 42))).topics[0]?.partitions[0]?.errorCode,
    ErrorCode.NONE,
  );
  await world.wait(commit(client, 'g', 3, 7));
  for (let version = 1; version <= 7; version++) {
    const topics = [{ name: 't', partitionIndexes: [0, 1] }];
    const answer = await world.wait(client.call(FETCH, version, { groupId: 'g', topics } as never));
    const partitions = answer.topics[0]?.partitions;
    assert.deepEqual(
      partitions?.map(({ committedOffset, metadata, errorCode }) => [committedOffset, metadata, errorCode]),
      [
        [42, 'm', ErrorCode.NONE],
        [-1, '', ErrorCode.NONE],
      ],
    );
  }
  assert.deepEqual(await committed(world, client, 'g'), { 't-0': 42, 't-3': 7 });
  assert.deepEqual(await committed(world, client, 'unknown'), {});
  await world.wait(broker.close());
  const again = await world.connect(await world.start(SETTINGS));
  assert.deepEqual(await committed(world, again, 'g'), { 't-0': 42, 't-3': 7 });
});

test('no answered commit is lost when the broker is killed', async () => {
  const world = virtualWorld();
  try {
    const { client } = await start(world);
    for (let offset = 1; offset <= 20; offset++) await world.wait(commit(client, 'g', offset % 4, offset));
    world.kill();
    const again = await world.connect(await world.start(SETTINGS));
    assert.deepEqual(await committed(world, again, 'g'), { 't-0': 20, 't-1': 17, 't-2': 18, 't-3': 19 });
  } finally {
    await world.end();
  }
});

testInWorlds('commits that must not be are refused, and change nothing', async (world) => {
  const { client } = await start(world, { 'offset.metadata.max.bytes': '5' });
  const large = await world.wait(commit(client, 'g', 0, 1, 'abcdef'));
  assert.equal(large.topics[0]?.partitions[0]?.errorCode, ErrorCode.OFFSET_METADATA_TOO_LARGE);
  const missing = await world.wait(commit(client, 'g', 9, 1));
  assert.equal(missing.topics[0]?.partitions[0]?.errorCode, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  for (const [version, expected] of [
    [8, ErrorCode.ILLEGAL_GENERATION],
    [9, ErrorCode.GROUP_ID_NOT_FOUND],
  ] as const) {
    const answer = await world.wait(
      client.call(COMMIT, version, {
        groupId: 'nobody',
        memberId: 'm',
        generationIdOrMemberEpoch: 4,
        topics: [
          { name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] },
        ],
      }),
    );
    assert.equal(answer.topics[0]?.partitions[0]?.errorCode, expected);
  }
  assert.deepEqual(await committed(world, client, 'g'), {});
});

testInWorlds('offsets by topic id are those of that very topic', async (world) => {
  const { client, topicId } = await start(world);
  const topics = [
    { topicId, partitions: [{ partitionIndex: 1, committedOffset: 5, committedMetadata: null }] },
    {
      topicId: 'AAAAAAAAAAAAAAAAAAAABQ',
      partitions: [{ partitionIndex: 1, committedOffset: 5, committedMetadata: null }],
    },
  ];
  const answer = await world.wait(client.call(COMMIT, 10, { groupId: 'g', memberId: '', topics }));
  const codes = new Map(answer.topics.map((topic) => [topic.topicId, topic.partitions[0]?.errorCode]));
  assert.equal(codes.get(topicId), ErrorCode.NONE);
  assert.equal(codes.get('AAAAAAAAAAAAAAAAAAAABQ'), ErrorCode.UNKNOWN_TOPIC_ID);
  const fetched = await world.wait(
    client.call(FETCH, 10, { groups: [{ groupId: 'g', topics: [{ topicId, partitionIndexes: [1] }] }] }),
  );
  assert.equal(fetched.groups[0]?.topics[0]?.partitions[0]?.committedOffset, 5);
});

testInWorlds('offsets are deleted one by one, with their group, and with their topic', async (world) => {
  const { client } = await start(world);
  for (const partition of [0, 1, 2]) await world.wait(commit(client, 'g', partition, 10 + partition));
  const topics = [{ name: 't', partitions: [{ partitionIndex: 1 }, { partitionIndex: 3 }] }];
  const deleted = await world.wait(client.call(DELETE_OFFSETS, 0, { groupId: 'g', topics }));
  assert.deepEqual(
    deleted.topics[0]?.partitions.map(({ errorCode }) => errorCode),
    [ErrorCode.NONE, ErrorCode.NONE],
  );
  assert.deepEqual(await committed(world, client, 'g'), { 't-0': 10, 't-2': 12 });
  const unknown = await world.wait(client.call(DELETE_OFFSETS, 0, { groupId: 'nobody', topics }));
  assert.equal(unknown.errorCode, ErrorCode.GROUP_ID_NOT_FOUND);
  const gone = await world.wait(client.call(DELETE, 2, { groupsNames: ['g', 'nobody'] }));
  assert.deepEqual(
    new Map(gone.results.map(({ groupId, errorCode }) => [groupId, errorCode])),
    new Map([
      ['g', ErrorCode.NONE],
      ['nobody', ErrorCode.GROUP_ID_NOT_FOUND],
    ]),
  );
  assert.deepEqual(await committed(world, client, 'g'), {});
  assert.deepEqual(
    (await world.wait(client.call(LIST, 5, { statesFilter: [], typesFilter: [] }))).groups,
    [],
  );
});

testInWorlds('two members share a group: joined, assigned, rebalanced, left', async (world) => {
  const { broker, client } = await start(world);
  const leader = await joinNew(world, client);
  assert.equal(leader.errorCode, ErrorCode.NONE);
  assert.equal(leader.leader, leader.memberId);
  assert.equal(leader.generationId, 1);
  const alone = await world.wait(sync(client, leader.memberId, 1, { [leader.memberId]: 'all' }));
  assert.equal(alone.assignment.toString(), 'all');

  const other = await world.connect(broker);
  const { memberId } = await world.wait(join(other, ''));
  const joining = join(other, memberId);
  await world.pass(50);
  const heartbeat = { groupId: 'g', generationId: 1, memberId: leader.memberId };
  assert.equal(
    (await world.wait(client.call(HEARTBEAT, 4, heartbeat))).errorCode,
    ErrorCode.REBALANCE_IN_PROGRESS,
  );
  const [second, follower] = await world.wait(Promise.all([join(client, leader.memberId), joining]));
  assert.equal(second?.generationId, 2);
  assert.deepEqual(
    second?.members.map((member) => member.memberId).sort(),
    [leader.memberId, memberId].sort(),
  );
  assert.deepEqual(follower?.members, []);
  const waiting = sync(other, memberId, 2);
  const own = await world.wait(
    sync(client, leader.memberId, 2, { [leader.memberId]: 'one', [memberId]: 'two' }),
  );
  assert.equal(own.assignment.toString(), 'one');
  assert.equal((await world.wait(waiting)).assignment.toString(), 'two');

  const described = await world.wait(
    client.call(DESCRIBE, 6, { groups: ['g'], includeAuthorizedOperations: true }),
  );
  assert.equal(described.groups[0]?.groupState, 'Stable');
  assert.equal(described.groups[0]?.authorizedOperations, 0xd48);
  assert.equal(described.groups[0]?.protocolData, 'range');
  assert.deepEqual(
    described.groups[0]?.members.map(({ memberAssignment }) => memberAssignment.toString()).sort(),
    ['one', 'two'],
  );
  const busy = await world.wait(client.call(DELETE, 2, { groupsNames: ['g'] }));
  assert.equal(busy.results[0]?.errorCode, ErrorCode.NON_EMPTY_GROUP);

  const members = [{ memberId: leader.memberId }, { memberId }];
  const left = await world.wait(client.call(LEAVE, 5, { groupId: 'g', members }));
  assert.deepEqual(
    left.members.map(({ errorCode }) => errorCode),
    [ErrorCode.NONE, ErrorCode.NONE],
  );
  const listed = await world.wait(
    client.call(LIST, 5, { statesFilter: ['empty'], typesFilter: ['classic'] }),
  );
  assert.deepEqual(listed.groups, [
    { groupId: 'g', protocolType: 'consumer', groupState: 'Empty', groupType: 'Classic' },
  ]);
});

test('after a kill in the midst of a rebalance the group settles within a session timeout, and no commit is lost', async () => {
  const world = virtualWorld();
  try {
    const { broker, client } = await start(world);
    const leader = await joinNew(world, client);
    await world.wait(sync(client, leader.memberId, 1, { [leader.memberId]: 'all' }));
    await world.wait(commit(client, 'other', 0, 9));
    const late = await world.connect(broker);
    const { memberId } = await world.wait(join(late, ''));
    join(late, memberId).catch(() => undefined);
    await world.pass(20);
    world.kill();

    const again = await world.start(SETTINGS);
    const survivor = await world.connect(again);
    const newcomer = await world.connect(again);
    assert.deepEqual(await committed(world, survivor, 'other'), { 't-0': 9 });
    const first = await world.wait(join(newcomer, ''));
    const startMs = world.nowMs();
    // The leader of before never comes back: its session ends, and the newcomer has the group.
    const joined = await world.wait(join(newcomer, first.memberId));
    assert.equal(joined.errorCode, ErrorCode.NONE);
    assert.equal(joined.leader, first.memberId);
    assert.ok(world.nowMs() - startMs <= 20_000, 'one session and one rebalance');
    const synced = await world.wait(
      sync(newcomer, first.memberId, joined.generationId, { [first.memberId]: 'all' }),
    );
    assert.equal(synced.errorCode, ErrorCode.NONE);
  } finally {
    await world.end();
  }
});

testInWorlds('a parked JoinGroup does not keep a broker from stopping', async (world) => {
  const { broker, client } = await start(world);
  const leader = await joinNew(world, client);
  await world.wait(sync(client, leader.memberId, leader.generationId, { [leader.memberId]: 'all' }));
  const other = await world.connect(broker);
  const { memberId } = await world.wait(join(other, ''));
  const parked = join(other, memberId);
  await world.pass(20);
  const startMs = world.nowMs();
  const [answer] = await world.wait(Promise.all([parked, broker.close()]));
  assert.equal(answer?.errorCode, ErrorCode.NOT_COORDINATOR);
  assert.ok(world.nowMs() - startMs < 5_000);
});
