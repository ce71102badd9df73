/** AlterReplicaLogDirs, versions 1–2: moves replicas between the log directories of this broker (KIP-113). Omitted: `replica.alter.log.dirs.io.max.bytes.per.second`. */
import { ErrorCode } from '../../base/errors.ts';
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from '../../protocol/messages/alter-replica-log-dirs.ts';
import { type ApiHandler, api } from '../dispatch.ts';
import { AclOperation, CLUSTER_RESOURCE, ResourceType } from '../hooks.ts';
import type { ReplicaMoves } from '../replica-moves.ts';
import type { RequestContext } from '../request-context.ts';
import type { Services } from '../services.ts';

/** The handler of AlterReplicaLogDirs. */
export function alterReplicaLogDirsApi(services: Services, moves: ReplicaMoves): ApiHandler {
  return api({
    apiKey: 34,
    minVersion: 1,
    maxVersion: 2,
    request: AlterReplicaLogDirsRequest,
    response: AlterReplicaLogDirsResponse,
    handle(context, request) {
      const mayAlter = services.authorizer.authorize(
        context as unknown as RequestContext,
        AclOperation.ALTER,
        ResourceType.CLUSTER,
        CLUSTER_RESOURCE,
      );
      // A replica that is named twice goes where it is named last, and is answered once.
      const wanted = new Map<string, Map<number, string>>();
      for (const { path, topics } of request.dirs) {
        for (const { name, partitions } of topics) {
          const places = wanted.get(name) ?? new Map<number, string>();
          wanted.set(name, places);
          for (const partition of partitions) places.set(partition, path);
        }
      }
      context.respond({
        throttleTimeMs: 0,
        results: [...wanted].map(([topicName, places]) => ({
          topicName,
          partitions: [...places].map(([partitionIndex, path]) => ({
            partitionIndex,
            errorCode: mayAlter
              ? moves.move(topicName, partitionIndex, path)
              : ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
          })),
        })),
      });
    },
  });
}
