import type { ErrorCode } from '../base/errors.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from '../protocol/messages/allocate-producer-ids.ts';
import type { AlterConfigsRequest, AlterConfigsResponse } from '../protocol/messages/alter-configs.ts';
import type { AlterPartitionRequest, AlterPartitionResponse } from '../protocol/messages/alter-partition.ts';
import type {
  AssignReplicasToDirsRequest,
  AssignReplicasToDirsResponse,
} from '../protocol/messages/assign-replicas-to-dirs.ts';
import type {
  BrokerHeartbeatRequest,
  BrokerHeartbeatResponse,
} from '../protocol/messages/broker-heartbeat.ts';
import type {
  BrokerRegistrationRequest,
  BrokerRegistrationResponse,
} from '../protocol/messages/broker-registration.ts';
import type {
  CreatePartitionsRequest,
  CreatePartitionsResponse,
} from '../protocol/messages/create-partitions.ts';
import type { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/create-topics.ts';
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from '../protocol/messages/incremental-alter-configs.ts';
import type {
  UnregisterBrokerRequest,
  UnregisterBrokerResponse,
} from '../protocol/messages/unregister-broker.ts';
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../protocol/messages/update-features.ts';
import type { InputOf } from '../protocol/schema.ts';

/** The APIs the controller answers, by API key. A request is as decoded, a response as `encode` takes it. */
export interface ControllerApis {
  19: { request: CreateTopicsRequest; response: InputOf<typeof CreateTopicsResponse> };
  20: { request: DeleteTopicsRequest; response: InputOf<typeof DeleteTopicsResponse> };
  33: { request: AlterConfigsRequest; response: InputOf<typeof AlterConfigsResponse> };
  37: { request: CreatePartitionsRequest; response: InputOf<typeof CreatePartitionsResponse> };
  44: {
    request: IncrementalAlterConfigsRequest;
    response: InputOf<typeof IncrementalAlterConfigsResponse>;
  };
  56: { request: AlterPartitionRequest; response: InputOf<typeof AlterPartitionResponse> };
  57: { request: UpdateFeaturesRequest; response: InputOf<typeof UpdateFeaturesResponse> };
  62: { request: BrokerRegistrationRequest; response: InputOf<typeof BrokerRegistrationResponse> };
  63: { request: BrokerHeartbeatRequest; response: InputOf<typeof BrokerHeartbeatResponse> };
  64: { request: UnregisterBrokerRequest; response: InputOf<typeof UnregisterBrokerResponse> };
  67: { request: AllocateProducerIdsRequest; response: InputOf<typeof AllocateProducerIdsResponse> };
  73: { request: AssignReplicasToDirsRequest; response: InputOf<typeof AssignReplicasToDirsResponse> };
}

/** Key of an API the controller answers. */
export type ControllerApiKey = keyof ControllerApis;

/** The keys of `ControllerApis` by name. */
export const ControllerApi = {
  CREATE_TOPICS: 19,
  DELETE_TOPICS: 20,
  ALTER_CONFIGS: 33,
  CREATE_PARTITIONS: 37,
  INCREMENTAL_ALTER_CONFIGS: 44,
  ALTER_PARTITION: 56,
  UPDATE_FEATURES: 57,
  BROKER_REGISTRATION: 62,
  BROKER_HEARTBEAT: 63,
  UNREGISTER_BROKER: 64,
  ALLOCATE_PRODUCER_IDS: 67,
  ASSIGN_REPLICAS_TO_DIRS: 73,
} as const satisfies Record<string, ControllerApiKey>;

/** One request to the controller. */
export interface ControllerRequest<K extends ControllerApiKey = ControllerApiKey> {
  readonly apiKey: K;
  /** Version the client asked with: some answers depend on it. */
  readonly apiVersion: number;
  readonly body: ControllerApis[K]['request'];
}

/** What the controller made of a request. The response may be given once all records are committed; without records at once. */
export interface ControllerResult<R> {
  /** To be appended in this order, in one batch if `isAtomic`, else in as many as their size asks for; empty when nothing changes. */
  readonly records: readonly MetadataRecord[];
  /** All or none; where it is not set each record is good by itself. */
  readonly isAtomic?: boolean;
  readonly response: R;
}

/** A refusal: a Kafka error code and what the user should know; null takes the code's usual text. */
export interface ApiError {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string | null;
}

/** An `ApiError`. */
export function apiError(errorCode: ErrorCode, errorMessage: string | null = null): ApiError {
  return { errorCode, errorMessage };
}
