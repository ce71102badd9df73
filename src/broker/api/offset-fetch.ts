/** OffsetFetch, versions 1–10: from v2 all offsets of a group, from v8 many groups, from v10 topics by their ids. */
import { ErrorCode } from '../../base/errors.ts';
import { ZERO_UUID } from '../../base/uuid.ts';
import type {
  FetchedGroup,
  FetchedGroupAnswer,
  FetchedTopicAnswer,
} from '../../coordinator/group/offsets/offset-fetch.ts';
import { appendErrorToAnswer } from '../../coordinator/runtime/append-error.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from '../../protocol/messages/offset-fetch.ts';
import type { InputOf } from '../../protocol/schema.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';
import { replyOnce, whenAll } from './group-reply.ts';

const FIRST_VERSION_WITH_GROUPS = 8;
const FIRST_VERSION_WITH_TOPIC_IDS = 10;
/** Before, an error of the group stands at each partition. */
const FIRST_VERSION_WITH_GROUP_ERROR = 2;

type Response = InputOf<typeof OffsetFetchResponse>;
type Topic = NonNullable<FetchedGroup['topics']>[number];
type TopicAnswer = FetchedTopicAnswer;

/** The handler of OffsetFetch. */
export function offsetFetchApi(services: Services, groups: GroupCoordinator): ApiHandler {
  return api({
    apiKey: 9,
    minVersion: 1,
    maxVersion: 10,
    request: OffsetFetchRequest,
    response: OffsetFetchResponse,
    handle(context, request) {
      const reply = replyOnce(context);
      const wanted = wantedGroups(context.apiVersion, request);
      const answers: FetchedGroupAnswer[] = [];
      const done = whenAll(wanted.length, () => reply(response(context.apiVersion, answers)));
      const call = new OffsetFetchCall(
        services,
        groups,
        context as unknown as RequestContext,
        request.requireStable,
      );
      wanted.forEach((group, i) =>
        call.fetch(group, (answer) => {
          answers[i] = answer;
          done();
        }),
      );
    },
  });
}

function wantedGroups(apiVersion: number, request: OffsetFetchRequest): readonly FetchedGroup[] {
  if (apiVersion >= FIRST_VERSION_WITH_GROUPS) return request.groups;
  const topics = request.topics?.map((topic) => ({ ...topic, topicId: ZERO_UUID })) ?? null;
  return [{ groupId: request.groupId, memberId: null, memberEpoch: -1, topics }];
}

/** The answers in the form of the version: before 8 there is just one group. */
function response(apiVersion: number, answers: readonly FetchedGroupAnswer[]): Response {
  if (apiVersion >= FIRST_VERSION_WITH_GROUPS) return { groups: answers, topics: [] };
  const [answer] = answers;
  const topics = (answer?.topics ?? []).map(({ name, partitions }) => ({ name: name ?? '', partitions }));
  return { topics, errorCode: answer?.errorCode ?? ErrorCode.NONE, groups: [] };
}

/** One request on its way. */
class OffsetFetchCall {
  readonly #services: Services;
  readonly #groups: GroupCoordinator;
  readonly #context: RequestContext;
  readonly #requireStable: boolean;

  constructor(services: Services, groups: GroupCoordinator, context: RequestContext, requireStable: boolean) {
    this.#services = services;
    this.#groups = groups;
    this.#context = context;
    this.#requireStable = requireStable;
  }

  fetch(group: FetchedGroup, done: (answer: FetchedGroupAnswer) => void): void {
    const { authorizer } = this.#services;
    if (!authorizer.authorize(this.#context, AclOperation.DESCRIBE, ResourceType.GROUP, group.groupId)) {
      done(this.#failed(group, ErrorCode.GROUP_AUTHORIZATION_FAILED));
      return;
    }
    const { topics, refused } = this.#sort(group);
    this.#ask({ ...group, topics }, (errorCode, answer) => {
      if (answer === null) done(this.#failed(group, errorCode));
      else if (topics === null) done({ ...answer, topics: this.#visible(answer.topics ?? []) });
      else done({ ...answer, topics: [...(answer.topics ?? []), ...refused] });
    });
  }

  #ask(group: FetchedGroup, done: (errorCode: ErrorCode, answer: FetchedGroupAnswer | null) => void): void {
    if (this.#requireStable) {
      this.#groups.write(
        group.groupId,
        (shard) => shard.fetchStableOffsets(group),
        (errorCode, answer) => done(unstableError(errorCode), answer),
      );
      return;
    }
    this.#groups.read(
      group.groupId,
      (shard) => shard.fetchCommittedOffsets(group),
      (errorCode, outcome) => done(outcome?.errorCode ?? errorCode, outcome?.answer ?? null),
    );
  }

  /** Topics with their names, and the answers for those that are not known or not to be seen. */
  #sort(group: FetchedGroup): { readonly topics: Topic[] | null; readonly refused: TopicAnswer[] } {
    if (group.topics === null) return { topics: null, refused: [] };
    const byId = this.#context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
    const topics: Topic[] = [];
    const refused: TopicAnswer[] = [];
    for (const given of group.topics) {
      const name = byId ? (this.#services.view.image.topics.byId(given.topicId)?.name ?? '') : given.name;
      if (byId && name === '') refused.push(refuse(given, ErrorCode.UNKNOWN_TOPIC_ID));
      else if (this.#mayDescribe(name)) topics.push({ ...given, name });
      else refused.push(refuse({ ...given, name }, ErrorCode.TOPIC_AUTHORIZATION_FAILED));
    }
    return { topics, refused };
  }

  /** Of all offsets, those of topics that the client may see; by id, those that have one. */
  #visible(topics: readonly TopicAnswer[]): TopicAnswer[] {
    const byId = this.#context.apiVersion >= FIRST_VERSION_WITH_TOPIC_IDS;
    const visible: TopicAnswer[] = [];
    for (const topic of topics) {
      if (!this.#mayDescribe(topic.name ?? '')) continue;
      if (!byId) visible.push(topic);
      else {
        const topicId = this.#services.view.image.topics.byName(topic.name ?? '')?.id;
        if (topicId !== undefined) visible.push({ ...topic, topicId });
      }
    }
    return visible;
  }

  #mayDescribe(topic: string): boolean {
    return this.#services.authorizer.authorize(
      this.#context,
      AclOperation.DESCRIBE,
      ResourceType.TOPIC,
      topic,
    );
  }

  #failed({ groupId, topics }: FetchedGroup, errorCode: ErrorCode): FetchedGroupAnswer {
    const perPartition = this.#context.apiVersion < FIRST_VERSION_WITH_GROUP_ERROR;
    return {
      groupId,
      errorCode,
      topics: perPartition ? (topics ?? []).map((topic) => refuse(topic, errorCode)) : [],
    };
  }
}

/** Clients of before 3.9 retry on no other error than this one. */
function unstableError(errorCode: ErrorCode): ErrorCode {
  const told = appendErrorToAnswer(errorCode);
  const isRetried = told !== errorCode && told === ErrorCode.COORDINATOR_NOT_AVAILABLE;
  return isRetried ? ErrorCode.NOT_COORDINATOR : told;
}

function refuse({ name, topicId, partitionIndexes }: Topic, errorCode: ErrorCode): TopicAnswer {
  return {
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode,
    })),
  };
}
