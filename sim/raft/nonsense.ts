import { assert } from '../../src/base/assert.ts';
import type { Random } from '../../src/base/random.ts';
import { METADATA_TOPIC_ID, ZERO_UUID } from '../../src/base/uuid.ts';
import type { ServedApiKey } from '../../src/raft/raft-api.ts';
import { CLUSTER_ID, directoryOf, endpointsOf } from '../../src/raft/raft-harness.test.ts';
import type { Cluster } from './cluster.ts';
import type { SimProcess } from './node.ts';

/** Name of the one topic whose log the quorum keeps. */
const TOPIC = '__cluster_metadata';
/** A node nobody knows. */
const STRANGER = 99;

interface Request {
  readonly apiKey: ServedApiKey;
  readonly body: object;
}

/** What comes from a confused peer, and must be refused whatever the node's state: none of it may change who leads, what is voted for or what is committed. */
export function sendNonsense(cluster: Cluster, member: SimProcess, random: Random): void {
  const make = random.pick([ofAnotherCluster, ofThePast, forAnotherDirectory, fromTheFuture, ofAnotherTopic]);
  const { apiKey, body } = make(member, random);
  cluster.note(member.id, `is sent nonsense: ${make.name}, API ${apiKey}`);
  cluster.ask(member, apiKey, body, (answer) => {
    assert(!JSON.stringify(answer).includes('"voteGranted":true'), 'nobody votes for nonsense');
  });
}

/** Whatever it says, it is not for this cluster. */
function ofAnotherCluster(member: SimProcess, random: Random): Request {
  const epoch = member.machine.epoch + random.below(3);
  return random.pick([
    vote(member, { clusterId: 'another', epoch, voter: directoryOf(member.id) }),
    begin(member, 'another', epoch),
    fetching(member, { clusterId: 'another', epoch, offset: 0, lastEpoch: 0 }),
  ]);
}

/** An epoch that is over. */
function ofThePast(member: SimProcess, random: Random): Request {
  const epoch = Math.max(0, member.machine.epoch - 1 - random.below(2));
  if (epoch >= member.machine.epoch) return ofAnotherCluster(member, random);
  return random.pick([
    vote(member, { clusterId: CLUSTER_ID, epoch, voter: member.disk.directoryId }),
    begin(member, CLUSTER_ID, epoch),
    fetching(member, { clusterId: CLUSTER_ID, epoch, offset: member.view.endOffset, lastEpoch: epoch }),
  ]);
}

/** A vote that is asked of the node's former disk, or of one that never was. */
function forAnotherDirectory(member: SimProcess): Request {
  return vote(member, {
    clusterId: CLUSTER_ID,
    epoch: member.machine.epoch,
    voter: directoryOf(member.id, 77),
  });
}

/** An observer whose log is longer than anybody's. */
function fromTheFuture(member: SimProcess, random: Random): Request {
  const { epoch } = member.machine;
  const offset = member.view.endOffset + random.between(1, 1_000_000);
  return fetching(member, { clusterId: CLUSTER_ID, epoch, offset, lastEpoch: epoch });
}

/** A partition that the quorum does not keep. */
function ofAnotherTopic(member: SimProcess): Request {
  const { apiKey, body } = vote(member, {
    clusterId: CLUSTER_ID,
    epoch: member.machine.epoch,
    voter: member.disk.directoryId,
  });
  return { apiKey, body: JSON.parse(JSON.stringify(body).replaceAll(TOPIC, 'records')) as object };
}

function vote(
  member: SimProcess,
  given: { readonly clusterId: string; readonly epoch: number; readonly voter: string },
): Request {
  const partition = {
    partitionIndex: 0,
    replicaEpoch: given.epoch,
    replicaId: STRANGER,
    replicaDirectoryId: directoryOf(STRANGER),
    voterDirectoryId: given.voter,
    lastOffsetEpoch: Math.max(0, given.epoch - 1),
    lastOffset: 1_000_000,
    preVote: false,
  };
  const topics = [{ topicName: TOPIC, partitions: [partition] }];
  return { apiKey: 52, body: { clusterId: given.clusterId, voterId: member.id, topics } };
}

function begin(member: SimProcess, clusterId: string, leaderEpoch: number): Request {
  const partition = { partitionIndex: 0, voterDirectoryId: ZERO_UUID, leaderId: STRANGER, leaderEpoch };
  const topics = [{ topicName: TOPIC, partitions: [partition] }];
  const leaderEndpoints = endpointsOf(STRANGER);
  return { apiKey: 53, body: { clusterId, voterId: member.id, topics, leaderEndpoints } };
}

function fetching(
  member: SimProcess,
  given: {
    readonly clusterId: string;
    readonly epoch: number;
    readonly offset: number;
    readonly lastEpoch: number;
  },
): Request {
  const partition = {
    partition: 0,
    currentLeaderEpoch: given.epoch,
    fetchOffset: given.offset,
    lastFetchedEpoch: given.lastEpoch,
    partitionMaxBytes: 1 << 20,
    replicaDirectoryId: directoryOf(STRANGER),
    highWatermark: member.machine.highWatermark,
  };
  return {
    apiKey: 1,
    body: {
      clusterId: given.clusterId,
      replicaState: { replicaId: STRANGER, replicaEpoch: -1 },
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1 << 20,
      topics: [{ topic: TOPIC, topicId: METADATA_TOPIC_ID, partitions: [partition] }],
      forgottenTopicsData: [],
    },
  };
}
