import { ErrorCode } from '../base/errors.ts';
import { randomUuid } from '../base/uuid.ts';
import type { Uuid } from '../base/uuid.ts';
import { PersistentMap } from '../base/timeline-map.ts';
import { isReservedDirectory } from '../metadata/directory-id.ts';
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts';
import { newTopicConfigs } from './configs.ts';
import type { ControllerContext } from './controller-context.ts';
import { type ApiError, type ControllerApis, type ControllerResult, apiError } from './controller-request.ts';
import { MAX_NEW_PARTITIONS, assignmentProblem, newPartition, placePartitions } from './partition-records.ts';
import { canCollide, collisionForm, topicNameProblem } from './topic-names.ts';

type CreatableTopic = ControllerApis[19]['request']['topics'][number];
type TopicResult = ControllerApis[19]['response']['topics'][number];

/** Name of the topic of the metadata log, which is not a topic among others. */
const CLUSTER_METADATA_TOPIC = '__cluster_metadata';

/** A topic that can be made: its records and what the answer says of it. */
interface NewTopic {
  readonly records: readonly MetadataRecord[];
  readonly result: TopicResult;
}

/** CreateTopics: each topic for itself; those that can be made are made together. */
export function createTopics(
  context: ControllerContext,
  request: ControllerApis[19]['request'],
): ControllerResult<ControllerApis[19]['response']> {
  const records: MetadataRecord[] = [];
  const results: TopicResult[] = [];
  const problems = nameProblems(context, request.topics);
  const tooMany = partitionTotal(context, request.topics) > MAX_NEW_PARTITIONS;
  for (const topic of request.topics) {
    const made =
      problems.get(topic.name) ??
      (tooMany
        ? apiError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
        : createTopic(context, topic));
    if ('errorCode' in made) {
      if (results.some(({ name }) => name === topic.name)) continue; // A duplicate is answered once.
      results.push({ name: topic.name, ...made });
    } else {
      records.push(...made.records);
      results.push(made.result);
    }
  }
  return {
    records: request.validateOnly ? [] : records,
    isAtomic: true,
    response: { throttleTimeMs: 0, topics: results },
  };
}

/** DeleteTopics, by name or (from v6) by id. */
export function deleteTopics(
  context: ControllerContext,
  request: ControllerApis[20]['request'],
  apiVersion: number,
): ControllerResult<ControllerApis[20]['response']> {
  const { topics } = context.state.image;
  const wanted =
    apiVersion >= 6
      ? request.topics
      : request.topicNames.map(
          (name) => ({ name, topicId: NO_ID }) as { name: string | null; topicId: Uuid },
        );
  const doomed = new Set<Uuid>();
  const records: MetadataRecord[] = [];
  const responses: ControllerApis[20]['response']['responses'][number][] = [];
  for (const { name, topicId } of wanted) {
    const topic = name !== null ? topics.byName(name) : topics.byId(topicId);
    const problem = deletionProblem(context, name, topicId, apiVersion, topic !== undefined, doomed);
    if (problem !== null || topic === undefined) {
      responses.push({ name, topicId, ...(problem ?? apiError(ErrorCode.UNKNOWN_SERVER_ERROR)) });
    } else if (doomed.has(topic.id)) {
      const why = 'The provided topic name maps to an ID that was already supplied.';
      responses.push({ name, topicId, ...apiError(ErrorCode.INVALID_REQUEST, why) });
    } else {
      doomed.add(topic.id);
      records.push(metadataRecord('RemoveTopicRecord', { topicId: topic.id }));
      responses.push({ name: topic.name, topicId: topic.id, ...apiError(ErrorCode.NONE) });
    }
  }
  return { records, response: { throttleTimeMs: 0, responses } };
}

/** CreatePartitions: each topic for itself. */
export function createPartitions(
  context: ControllerContext,
  request: ControllerApis[37]['request'],
): ControllerResult<ControllerApis[37]['response']> {
  const records: MetadataRecord[] = [];
  const results: ControllerApis[37]['response']['results'][number][] = [];
  const names = request.topics.map(({ name }) => name);
  request.topics.forEach((topic, i) => {
    if (names.indexOf(topic.name) !== i) return;
    const made =
      names.lastIndexOf(topic.name) === i
        ? addPartitions(context, topic, MAX_NEW_PARTITIONS - records.length)
        : apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.');
    if ('errorCode' in made) {
      results.push({ name: topic.name, ...made });
    } else {
      records.push(...made);
      results.push({ name: topic.name, ...apiError(ErrorCode.NONE) });
    }
  });
  return {
    records: request.validateOnly ? [] : records,
    isAtomic: true,
    response: { throttleTimeMs: 0, results },
  };
}

const NO_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA';

/** What is wrong with names: taken, malformed, colliding with a topic or with one another, named twice. */
function nameProblems(context: ControllerContext, topics: readonly CreatableTopic[]): Map<string, ApiError> {
  const problems = new Map<string, ApiError>();
  const forms = new Map<string, string>();
  const seen = new Set<string>();
  for (const { name } of topics) {
    if (seen.has(name)) problems.set(name, apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic name.'));
    seen.add(name);
    if (problems.has(name)) continue;
    const malformed = topicNameProblem(name);
    const form = canCollide(name) ? collisionForm(name) : name;
    const colliding = context.state.collidingTopic(name) ?? forms.get(form);
    if (name === CLUSTER_METADATA_TOPIC) {
      const why = `Creation of internal topic ${name} is prohibited.`;
      problems.set(name, apiError(ErrorCode.INVALID_REQUEST, why));
    } else if (malformed !== null) {
      problems.set(name, apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, malformed));
    } else if (context.state.image.topics.byName(name) !== undefined) {
      problems.set(name, apiError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`));
    } else if (colliding !== undefined) {
      const why = `Topic '${name}' collides with existing topic: ${colliding}`;
      problems.set(name, apiError(ErrorCode.INVALID_TOPIC_EXCEPTION, why));
    } else {
      forms.set(form, name);
    }
  }
  return problems;
}

function partitionTotal(context: ControllerContext, topics: readonly CreatableTopic[]): number {
  let total = 0;
  for (const { assignments, numPartitions } of topics) {
    total +=
      assignments.length > 0
        ? assignments.length
        : Math.max(numPartitions === -1 ? context.configRules.defaultPartitionCount : numPartitions, 0);
  }
  return total;
}

function createTopic(context: ControllerContext, topic: CreatableTopic): NewTopic | ApiError {
  const configRecords = newTopicConfigs(context, topic.name, topic.configs);
  if ('errorCode' in configRecords) return configRecords;
  const placements =
    topic.assignments.length > 0 ? manualPlacements(context, topic) : newPlacements(context, topic);
  if ('errorCode' in placements) return placements;
  const topicId = newTopicId(context);
  let entries = PersistentMap.empty<string, string>();
  for (const { name, value } of topic.configs) if (value !== null) entries = entries.set(name, value);
  return {
    records: [
      metadataRecord('TopicRecord', { name: topic.name, topicId }),
      ...configRecords,
      ...placements.map((replicas, partitionId) => newPartition(context, topicId, partitionId, replicas)),
    ],
    result: {
      name: topic.name,
      topicId,
      ...apiError(ErrorCode.NONE),
      numPartitions: placements.length,
      replicationFactor: placements[0]?.length ?? 0,
      configs: context.configRules.describeTopic(context.state.image.configs, entries),
    },
  };
}

/** Placements a client chose: partitions 0, 1, 2, …, each with as many replicas as the first. */
function manualPlacements(
  context: ControllerContext,
  topic: CreatableTopic,
): (readonly number[])[] | ApiError {
  if (topic.replicationFactor !== -1) {
    const why = 'A manual partition assignment was specified, but replication factor was not set to -1.';
    return apiError(ErrorCode.INVALID_REQUEST, why);
  }
  if (topic.numPartitions !== -1) {
    const why = 'A manual partition assignment was specified, but numPartitions was not set to -1.';
    return apiError(ErrorCode.INVALID_REQUEST, why);
  }
  const placements = new Map<number, readonly number[]>();
  let replicationFactor: number | null = null;
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    if (placements.has(partitionIndex)) {
      const why = `Found multiple manual partition assignments for partition ${partitionIndex}`;
      return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why);
    }
    const problem = assignmentProblem(context, partitionIndex, brokerIds, replicationFactor);
    if (problem !== null) return problem;
    replicationFactor = brokerIds.length;
    placements.set(partitionIndex, brokerIds);
  }
  const ordered: (readonly number[])[] = [];
  for (let partitionId = 0; partitionId < placements.size; partitionId++) {
    const replicas = placements.get(partitionId);
    if (replicas === undefined) {
      const why = 'partitions should be a consecutive 0-based integer sequence';
      return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why);
    }
    ordered.push(replicas);
  }
  return ordered;
}

/** Placements by count and factor, where -1 takes the defaults. */
function newPlacements(context: ControllerContext, topic: CreatableTopic): number[][] | ApiError {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    const why = 'Replication factor must be larger than 0, or -1 to use the default value.';
    return apiError(ErrorCode.INVALID_REPLICATION_FACTOR, why);
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    const why = 'Number of partitions was set to an invalid non-positive value.';
    return apiError(ErrorCode.INVALID_PARTITIONS, why);
  }
  const { defaultPartitionCount, defaultReplicationFactor } = context.configRules;
  return placePartitions(
    context,
    topic.numPartitions === -1 ? defaultPartitionCount : topic.numPartitions,
    topic.replicationFactor === -1 ? defaultReplicationFactor : topic.replicationFactor,
  );
}

/** Ids below 100 stand for things that are no topics, and a text that begins with `-` is awkward on a command line. */
function newTopicId(context: ControllerContext): Uuid {
  for (;;) {
    const id = randomUuid(context.random);
    if (!isReservedDirectory(id) && !id.startsWith('-') && !context.state.image.topics.byId(id)) return id;
  }
}

function addPartitions(
  context: ControllerContext,
  wanted: ControllerApis[37]['request']['topics'][number],
  mostPartitions: number,
): MetadataRecord[] | ApiError {
  const topic = context.state.image.topics.byName(wanted.name);
  if (topic === undefined) return apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  const present = topic.partitionCount;
  if (wanted.count === present) {
    return apiError(ErrorCode.INVALID_PARTITIONS, `Topic already has ${present} partition(s).`);
  }
  if (wanted.count < present) {
    const why = `The topic ${wanted.name} currently has ${present} partition(s); ${wanted.count} would not be an increase.`;
    return apiError(ErrorCode.INVALID_PARTITIONS, why);
  }
  const additional = wanted.count - present;
  if (additional > mostPartitions) {
    return apiError(ErrorCode.POLICY_VIOLATION, 'Excessively large number of partitions per request.');
  }
  const replicationFactor = topic.partition(0)?.replicas.length ?? 1;
  let placements: (readonly number[])[] | ApiError;
  if (wanted.assignments === null) {
    placements = placePartitions(context, additional, replicationFactor);
  } else {
    if (wanted.assignments.length !== additional) {
      const why = `Attempted to add ${additional} additional partition(s), but only ${wanted.assignments.length} assignment(s) were specified.`;
      return apiError(ErrorCode.INVALID_REPLICA_ASSIGNMENT, why);
    }
    placements = wanted.assignments.map(({ brokerIds }) => brokerIds);
    for (const [i, replicas] of placements.entries()) {
      const problem = assignmentProblem(context, present + i, replicas, replicationFactor);
      if (problem !== null) return problem;
    }
  }
  if ('errorCode' in placements) return placements;
  return placements.map((replicas, i) => newPartition(context, topic.id, present + i, replicas));
}

function deletionProblem(
  context: ControllerContext,
  name: string | null,
  topicId: Uuid,
  apiVersion: number,
  exists: boolean,
  doomed: ReadonlySet<Uuid>,
): ApiError | null {
  if (!context.configRules.deleteTopicEnable) {
    const code = apiVersion < 3 ? ErrorCode.INVALID_REQUEST : ErrorCode.TOPIC_DELETION_DISABLED;
    return apiError(code, 'Topic deletion is disabled.');
  }
  if (name === null && topicId === NO_ID) {
    return apiError(ErrorCode.INVALID_REQUEST, 'Neither topic name nor id were specified.');
  }
  if (name !== null && topicId !== NO_ID) {
    return apiError(ErrorCode.INVALID_REQUEST, 'You may not specify both topic name and topic id.');
  }
  if (name === null && doomed.has(topicId)) return apiError(ErrorCode.INVALID_REQUEST, 'Duplicate topic id.');
  if (exists) return null;
  return name === null
    ? apiError(ErrorCode.UNKNOWN_TOPIC_ID, 'This server does not host this topic ID.')
    : apiError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.');
}
