import type { RequestContext } from './request-context.ts';

/** Acl operation codes (formats §30). */
export const AclOperation = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
} as const;

/** Acl resource type codes (formats §30). */
export const ResourceType = {
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
} as const;

/** Name of the one resource of type `CLUSTER`. */
export const CLUSTER_RESOURCE = 'kafka-cluster';

/** Decides who may do what. Called before a handler touches the resource; must answer at once. */
export interface Authorizer {
  /** True if the context's principal may do `operation` on the resource. */
  authorize(context: RequestContext, operation: number, resourceType: number, resourceName: string): boolean;
  /** Bit field of the operations that are allowed (bit n = operation n). */
  authorizedOperations(context: RequestContext, resourceType: number, resourceName: string): number;
}

/** Accounts what clients use, and says for how long one that used too much is to be muted. 0: not at all. */
export interface Quotas {
  /** After a Produce of `recordBytes`; acks=0 too. */
  produceThrottleMs(context: RequestContext, recordBytes: number): number;
  /** Before a Fetch answer of `recordBytes` leaves; above 0 an empty answer is sent instead and nothing was used. */
  fetchThrottleMs(context: RequestContext, recordBytes: number): number;
  /** For every other request. */
  requestThrottleMs(context: RequestContext): number;
}

const TOPIC_OPERATIONS =
  (1 << AclOperation.READ) |
  (1 << AclOperation.WRITE) |
  (1 << AclOperation.CREATE) |
  (1 << AclOperation.DELETE) |
  (1 << AclOperation.ALTER) |
  (1 << AclOperation.DESCRIBE) |
  (1 << AclOperation.DESCRIBE_CONFIGS) |
  (1 << AclOperation.ALTER_CONFIGS);

const CLUSTER_OPERATIONS =
  (1 << AclOperation.CREATE) |
  (1 << AclOperation.ALTER) |
  (1 << AclOperation.DESCRIBE) |
  (1 << AclOperation.CLUSTER_ACTION) |
  (1 << AclOperation.DESCRIBE_CONFIGS) |
  (1 << AclOperation.ALTER_CONFIGS) |
  (1 << AclOperation.IDEMPOTENT_WRITE);

const GROUP_OPERATIONS =
  (1 << AclOperation.READ) |
  (1 << AclOperation.DELETE) |
  (1 << AclOperation.DESCRIBE) |
  (1 << AclOperation.DESCRIBE_CONFIGS) |
  (1 << AclOperation.ALTER_CONFIGS);

/** Everybody may do everything: a broker without an authorizer. */
export const allowAll: Authorizer = {
  authorize: () => true,
  authorizedOperations(_context, resourceType) {
    if (resourceType === ResourceType.GROUP) return GROUP_OPERATIONS;
    return resourceType === ResourceType.CLUSTER ? CLUSTER_OPERATIONS : TOPIC_OPERATIONS;
  },
};

/** Nobody is throttled: a broker without quotas. */
export const unlimited: Quotas = {
  produceThrottleMs: () => 0,
  fetchThrottleMs: () => 0,
  requestThrottleMs: () => 0,
};
