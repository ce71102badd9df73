/**
 * FindCoordinator, versions 0–6, one key or (from v4) many.
 *
 * The topic behind it is made when it is first asked for; the answer waits for that.
 *
 * Omitted: coordinators of transactions and of share groups. They are answered with COORDINATOR_NOT_AVAILABLE, as Kafka does while there is none.
 */
import { ErrorCode } from '../../base/errors.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from '../../protocol/messages/find-coordinator.ts';
import type { GroupCoordinator } from '../coordinators/group-coordinator.ts';
import { type InternalTopicSettings, createInternalTopic } from '../auto-creation.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, ResourceType } from '../hooks.ts';
import { GROUP_METADATA_TOPIC } from '../internal-topics.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

const KeyType = { GROUP: 0, TRANSACTION: 1, SHARE: 2 } as const;
const FIRST_VERSION_WITH_MANY_KEYS = 4;
const FIRST_VERSION_WITH_SHARE_GROUPS = 6;
const NOWHERE = { nodeId: -1, host: '', port: -1 } as const;

/** Kafka's messages for the errors that are told here. */
const MESSAGES: ReadonlyMap<ErrorCode, string> = new Map([
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, 'The coordinator is not available.'],
  [ErrorCode.GROUP_AUTHORIZATION_FAILED, 'Group authorization failed.'],
  [ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'Transactional Id authorization failed.'],
  [
    ErrorCode.INVALID_REQUEST,
    'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.',
  ],
]);

interface Found {
  readonly errorCode: ErrorCode;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** The handler of FindCoordinator. */
export function findCoordinatorApi(
  services: Services,
  groups: GroupCoordinator,
  offsetsTopic: InternalTopicSettings,
): ApiHandler {
  const find = (context: RequestContext, keyType: number, key: string): Found => {
    const { authorizer } = services;
    const may = (resourceType: number): boolean =>
      authorizer.authorize(context, AclOperation.DESCRIBE, resourceType, key);
    if (keyType === KeyType.GROUP) {
      if (!may(ResourceType.GROUP)) return failed(ErrorCode.GROUP_AUTHORIZATION_FAILED);
      return locate(services, context, groups.partitionFor(key));
    }
    if (keyType === KeyType.TRANSACTION) {
      return failed(
        may(ResourceType.TRANSACTIONAL_ID)
          ? ErrorCode.COORDINATOR_NOT_AVAILABLE
          : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
      );
    }
    const known = keyType === KeyType.SHARE && context.apiVersion >= FIRST_VERSION_WITH_SHARE_GROUPS;
    return failed(known ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.INVALID_REQUEST);
  };
  return api({
    apiKey: 10,
    minVersion: 0,
    maxVersion: 6,
    request: FindCoordinatorRequest,
    response: FindCoordinatorResponse,
    handle(context, request) {
      const plain = context as unknown as RequestContext;
      const answer = (): void => {
        if (context.apiVersion >= FIRST_VERSION_WITH_MANY_KEYS) {
          const coordinators = request.coordinatorKeys.map((key) => ({
            key,
            ...find(plain, request.keyType, key),
            errorMessage: '',
          }));
          context.respond({ coordinators });
          return;
        }
        const found = find(plain, request.keyType, request.key);
        context.respond({ ...found, errorMessage: MESSAGES.get(found.errorCode) ?? null });
      };
      const missing = services.view.image.topics.byName(GROUP_METADATA_TOPIC) === undefined;
      if (request.keyType !== KeyType.GROUP || !missing) return answer();
      return createInternalTopic(services, plain, offsetsTopic, () => {
        if (!context.cancelled) context.guard(answer);
      });
    },
  });
}

/** Who leads a partition of the groups' topic, as the client's listener has it. */
function locate(services: Services, context: RequestContext, partition: number): Found {
  const { view } = services;
  const { leaderId } = view.leader(GROUP_METADATA_TOPIC, partition);
  const node = leaderId < 0 ? null : view.node(leaderId, context.connection.listener);
  if (node === null) return failed(ErrorCode.COORDINATOR_NOT_AVAILABLE);
  return { errorCode: ErrorCode.NONE, nodeId: node.nodeId, host: node.host, port: node.port };
}

function failed(errorCode: ErrorCode): Found {
  return { errorCode, ...NOWHERE };
}
