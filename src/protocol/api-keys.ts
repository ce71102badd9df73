import { assert } from '../base/assert.ts';
import { AddOffsetsToTxnRequest, AddOffsetsToTxnResponse } from './messages/add-offsets-to-txn.ts';
import { AddPartitionsToTxnRequest, AddPartitionsToTxnResponse } from './messages/add-partitions-to-txn.ts';
import { AddRaftVoterRequest, AddRaftVoterResponse } from './messages/add-raft-voter.ts';
import { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from './messages/allocate-producer-ids.ts';
import { AlterClientQuotasRequest, AlterClientQuotasResponse } from './messages/alter-client-quotas.ts';
import { AlterConfigsRequest, AlterConfigsResponse } from './messages/alter-configs.ts';
import { AlterPartitionRequest, AlterPartitionResponse } from './messages/alter-partition.ts';
import {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from './messages/alter-partition-reassignments.ts';
import {
  AlterReplicaLogDirsRequest,
  AlterReplicaLogDirsResponse,
} from './messages/alter-replica-log-dirs.ts';
import {
  AlterShareGroupOffsetsRequest,
  AlterShareGroupOffsetsResponse,
} from './messages/alter-share-group-offsets.ts';
import {
  AlterUserScramCredentialsRequest,
  AlterUserScramCredentialsResponse,
} from './messages/alter-user-scram-credentials.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from './messages/api-versions.ts';
import {
  AssignReplicasToDirsRequest,
  AssignReplicasToDirsResponse,
} from './messages/assign-replicas-to-dirs.ts';
import { BeginQuorumEpochRequest, BeginQuorumEpochResponse } from './messages/begin-quorum-epoch.ts';
import { BrokerHeartbeatRequest, BrokerHeartbeatResponse } from './messages/broker-heartbeat.ts';
import { BrokerRegistrationRequest, BrokerRegistrationResponse } from './messages/broker-registration.ts';
import {
  ConsumerGroupDescribeRequest,
  ConsumerGroupDescribeResponse,
} from './messages/consumer-group-describe.ts';
import {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from './messages/consumer-group-heartbeat.ts';
import {
  ControllerRegistrationRequest,
  ControllerRegistrationResponse,
} from './messages/controller-registration.ts';
import { CreateAclsRequest, CreateAclsResponse } from './messages/create-acls.ts';
import {
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse,
} from './messages/create-delegation-token.ts';
import { CreatePartitionsRequest, CreatePartitionsResponse } from './messages/create-partitions.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from './messages/create-topics.ts';
import { DeleteAclsRequest, DeleteAclsResponse } from './messages/delete-acls.ts';
import { DeleteGroupsRequest, DeleteGroupsResponse } from './messages/delete-groups.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from './messages/delete-records.ts';
import {
  DeleteShareGroupOffsetsRequest,
  DeleteShareGroupOffsetsResponse,
} from './messages/delete-share-group-offsets.ts';
import {
  DeleteShareGroupStateRequest,
  DeleteShareGroupStateResponse,
} from './messages/delete-share-group-state.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from './messages/delete-topics.ts';
import { DescribeAclsRequest, DescribeAclsResponse } from './messages/describe-acls.ts';
import {
  DescribeClientQuotasRequest,
  DescribeClientQuotasResponse,
} from './messages/describe-client-quotas.ts';
import { DescribeClusterRequest, DescribeClusterResponse } from './messages/describe-cluster.ts';
import { DescribeConfigsRequest, DescribeConfigsResponse } from './messages/describe-configs.ts';
import {
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse,
} from './messages/describe-delegation-token.ts';
import { DescribeGroupsRequest, DescribeGroupsResponse } from './messages/describe-groups.ts';
import { DescribeLogDirsRequest, DescribeLogDirsResponse } from './messages/describe-log-dirs.ts';
import { DescribeProducersRequest, DescribeProducersResponse } from './messages/describe-producers.ts';
import { DescribeQuorumRequest, DescribeQuorumResponse } from './messages/describe-quorum.ts';
import {
  DescribeShareGroupOffsetsRequest,
  DescribeShareGroupOffsetsResponse,
} from './messages/describe-share-group-offsets.ts';
import {
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse,
} from './messages/describe-topic-partitions.ts';
import {
  DescribeTransactionsRequest,
  DescribeTransactionsResponse,
} from './messages/describe-transactions.ts';
import {
  DescribeUserScramCredentialsRequest,
  DescribeUserScramCredentialsResponse,
} from './messages/describe-user-scram-credentials.ts';
import { ElectLeadersRequest, ElectLeadersResponse } from './messages/elect-leaders.ts';
import { EndQuorumEpochRequest, EndQuorumEpochResponse } from './messages/end-quorum-epoch.ts';
import { EndTxnRequest, EndTxnResponse } from './messages/end-txn.ts';
import { EnvelopeRequest, EnvelopeResponse } from './messages/envelope.ts';
import {
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse,
} from './messages/expire-delegation-token.ts';
import { FetchRequest, FetchResponse } from './messages/fetch.ts';
import { FetchSnapshotRequest, FetchSnapshotResponse } from './messages/fetch-snapshot.ts';
import { FindCoordinatorRequest, FindCoordinatorResponse } from './messages/find-coordinator.ts';
import {
  GetTelemetrySubscriptionsRequest,
  GetTelemetrySubscriptionsResponse,
} from './messages/get-telemetry-subscriptions.ts';
import { HeartbeatRequest, HeartbeatResponse } from './messages/heartbeat.ts';
import {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponse,
} from './messages/incremental-alter-configs.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from './messages/init-producer-id.ts';
import {
  InitializeShareGroupStateRequest,
  InitializeShareGroupStateResponse,
} from './messages/initialize-share-group-state.ts';
import { JoinGroupRequest, JoinGroupResponse } from './messages/join-group.ts';
import { LeaveGroupRequest, LeaveGroupResponse } from './messages/leave-group.ts';
import { ListConfigResourcesRequest, ListConfigResourcesResponse } from './messages/list-config-resources.ts';
import { ListGroupsRequest, ListGroupsResponse } from './messages/list-groups.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from './messages/list-offsets.ts';
import {
  ListPartitionReassignmentsRequest,
  ListPartitionReassignmentsResponse,
} from './messages/list-partition-reassignments.ts';
import { ListTransactionsRequest, ListTransactionsResponse } from './messages/list-transactions.ts';
import { MetadataRequest, MetadataResponse } from './messages/metadata.ts';
import { OffsetCommitRequest, OffsetCommitResponse } from './messages/offset-commit.ts';
import { OffsetDeleteRequest, OffsetDeleteResponse } from './messages/offset-delete.ts';
import { OffsetFetchRequest, OffsetFetchResponse } from './messages/offset-fetch.ts';
import {
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
} from './messages/offset-for-leader-epoch.ts';
import { ProduceRequest, ProduceResponse } from './messages/produce.ts';
import { PushTelemetryRequest, PushTelemetryResponse } from './messages/push-telemetry.ts';
import {
  ReadShareGroupStateRequest,
  ReadShareGroupStateResponse,
} from './messages/read-share-group-state.ts';
import {
  ReadShareGroupStateSummaryRequest,
  ReadShareGroupStateSummaryResponse,
} from './messages/read-share-group-state-summary.ts';
import { RemoveRaftVoterRequest, RemoveRaftVoterResponse } from './messages/remove-raft-voter.ts';
import {
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse,
} from './messages/renew-delegation-token.ts';
import { SaslAuthenticateRequest, SaslAuthenticateResponse } from './messages/sasl-authenticate.ts';
import { SaslHandshakeRequest, SaslHandshakeResponse } from './messages/sasl-handshake.ts';
import { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from './messages/share-acknowledge.ts';
import { ShareFetchRequest, ShareFetchResponse } from './messages/share-fetch.ts';
import { ShareGroupDescribeRequest, ShareGroupDescribeResponse } from './messages/share-group-describe.ts';
import { ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse } from './messages/share-group-heartbeat.ts';
import {
  StreamsGroupDescribeRequest,
  StreamsGroupDescribeResponse,
} from './messages/streams-group-describe.ts';
import {
  StreamsGroupHeartbeatRequest,
  StreamsGroupHeartbeatResponse,
} from './messages/streams-group-heartbeat.ts';
import { SyncGroupRequest, SyncGroupResponse } from './messages/sync-group.ts';
import { TxnOffsetCommitRequest, TxnOffsetCommitResponse } from './messages/txn-offset-commit.ts';
import { UnregisterBrokerRequest, UnregisterBrokerResponse } from './messages/unregister-broker.ts';
import { UpdateFeaturesRequest, UpdateFeaturesResponse } from './messages/update-features.ts';
import { UpdateRaftVoterRequest, UpdateRaftVoterResponse } from './messages/update-raft-voter.ts';
import { VoteRequest, VoteResponse } from './messages/vote.ts';
import {
  WriteShareGroupStateRequest,
  WriteShareGroupStateResponse,
} from './messages/write-share-group-state.ts';
import { WriteTxnMarkersRequest, WriteTxnMarkersResponse } from './messages/write-txn-markers.ts';
import type { ListenerKind, MessageSpec } from './schema.ts';
import { hasVersion, MAX_VERSION, parseVersions } from './versions.ts';

/**
 * All APIs of Kafka 4.2.1, on whatever listener; which of them a listener serves is the dispatcher's choice.
 * What the request's schema says (key, versions, listeners) is taken from there. Keys 4 to 7 were removed in
 * Kafka 4.0.
 */

/** An API: a request and its response. */
export interface ApiDescription<
  Request extends MessageSpec = MessageSpec,
  Response extends MessageSpec = MessageSpec,
> {
  readonly key: number;
  /** Kafka's name, without `Request`. */
  readonly name: string;
  /** Lowest version, inclusive. */
  readonly minVersion: number;
  /** Highest version, inclusive. */
  readonly maxVersion: number;
  /** First flexible version; over `maxVersion` when there is none. */
  readonly flexibleFrom: number;
  /** The listeners it belongs to. */
  readonly listeners: readonly ListenerKind[];
  /** The highest version is hidden unless `unstable.api.versions.enable` is set. */
  readonly latestVersionUnstable: boolean;
  /** A broker passes it on to the active controller (in an Envelope). */
  readonly forwardable: boolean;
  /** It is for nodes of the cluster: the principal needs ClusterAction. */
  readonly clusterAction: boolean;
  readonly request: Request;
  readonly response: Response;
}

interface Traits {
  readonly forwardable?: true;
  readonly clusterAction?: true;
}

const FORWARDED: Traits = { forwardable: true };
const CLUSTER: Traits = { clusterAction: true };
const FORWARDED_CLUSTER: Traits = { forwardable: true, clusterAction: true };

function api<Request extends MessageSpec, Response extends MessageSpec>(
  request: Request,
  response: Response,
  traits: Traits = {},
): ApiDescription<Request, Response> {
  const { apiKey } = request;
  assert(apiKey !== undefined && apiKey === response.apiKey, `${request.name} has no key or another`);
  const versions = parseVersions(request.versions);
  return {
    key: apiKey,
    name: request.name.replace(/Request$/, ''),
    minVersion: versions.low,
    maxVersion: versions.high,
    flexibleFrom: hasVersion(request.flexible, MAX_VERSION)
      ? parseVersions(request.flexible).low
      : MAX_VERSION,
    listeners: request.listeners ?? [],
    latestVersionUnstable: request.latestVersionUnstable === true,
    forwardable: traits.forwardable === true,
    clusterAction: traits.clusterAction === true,
    request,
    response,
  };
}

/** Every API, by ascending key. */
export const API_KEYS: readonly ApiDescription[] = [
  api(ProduceRequest, ProduceResponse),
  api(FetchRequest, FetchResponse),
  api(ListOffsetsRequest, ListOffsetsResponse),
  api(MetadataRequest, MetadataResponse),
  api(OffsetCommitRequest, OffsetCommitResponse),
  api(OffsetFetchRequest, OffsetFetchResponse),
  api(FindCoordinatorRequest, FindCoordinatorResponse),
  api(JoinGroupRequest, JoinGroupResponse),
  api(HeartbeatRequest, HeartbeatResponse),
  api(LeaveGroupRequest, LeaveGroupResponse),
  api(SyncGroupRequest, SyncGroupResponse),
  api(DescribeGroupsRequest, DescribeGroupsResponse),
  api(ListGroupsRequest, ListGroupsResponse),
  api(SaslHandshakeRequest, SaslHandshakeResponse),
  api(ApiVersionsRequest, ApiVersionsResponse),
  api(CreateTopicsRequest, CreateTopicsResponse, FORWARDED),
  api(DeleteTopicsRequest, DeleteTopicsResponse, FORWARDED),
  api(DeleteRecordsRequest, DeleteRecordsResponse),
  api(InitProducerIdRequest, InitProducerIdResponse),
  api(OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse),
  api(AddPartitionsToTxnRequest, AddPartitionsToTxnResponse),
  api(AddOffsetsToTxnRequest, AddOffsetsToTxnResponse),
  api(EndTxnRequest, EndTxnResponse),
  api(WriteTxnMarkersRequest, WriteTxnMarkersResponse, CLUSTER),
  api(TxnOffsetCommitRequest, TxnOffsetCommitResponse),
  api(DescribeAclsRequest, DescribeAclsResponse),
  api(CreateAclsRequest, CreateAclsResponse, FORWARDED),
  api(DeleteAclsRequest, DeleteAclsResponse, FORWARDED),
  api(DescribeConfigsRequest, DescribeConfigsResponse),
  api(AlterConfigsRequest, AlterConfigsResponse, FORWARDED),
  api(AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse),
  api(DescribeLogDirsRequest, DescribeLogDirsResponse),
  api(SaslAuthenticateRequest, SaslAuthenticateResponse),
  api(CreatePartitionsRequest, CreatePartitionsResponse, FORWARDED),
  api(CreateDelegationTokenRequest, CreateDelegationTokenResponse, FORWARDED),
  api(RenewDelegationTokenRequest, RenewDelegationTokenResponse, FORWARDED),
  api(ExpireDelegationTokenRequest, ExpireDelegationTokenResponse, FORWARDED),
  api(DescribeDelegationTokenRequest, DescribeDelegationTokenResponse),
  api(DeleteGroupsRequest, DeleteGroupsResponse),
  api(ElectLeadersRequest, ElectLeadersResponse, FORWARDED),
  api(IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, FORWARDED),
  api(AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, FORWARDED),
  api(ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, FORWARDED),
  api(OffsetDeleteRequest, OffsetDeleteResponse),
  api(DescribeClientQuotasRequest, DescribeClientQuotasResponse),
  api(AlterClientQuotasRequest, AlterClientQuotasResponse, FORWARDED),
  api(DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse),
  api(AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, FORWARDED),
  api(VoteRequest, VoteResponse, CLUSTER),
  api(BeginQuorumEpochRequest, BeginQuorumEpochResponse, CLUSTER),
  api(EndQuorumEpochRequest, EndQuorumEpochResponse, CLUSTER),
  api(DescribeQuorumRequest, DescribeQuorumResponse, FORWARDED_CLUSTER),
  api(AlterPartitionRequest, AlterPartitionResponse, CLUSTER),
  api(UpdateFeaturesRequest, UpdateFeaturesResponse, FORWARDED_CLUSTER),
  api(EnvelopeRequest, EnvelopeResponse, CLUSTER),
  api(FetchSnapshotRequest, FetchSnapshotResponse),
  api(DescribeClusterRequest, DescribeClusterResponse),
  api(DescribeProducersRequest, DescribeProducersResponse),
  api(BrokerRegistrationRequest, BrokerRegistrationResponse, CLUSTER),
  api(BrokerHeartbeatRequest, BrokerHeartbeatResponse, CLUSTER),
  api(UnregisterBrokerRequest, UnregisterBrokerResponse, FORWARDED),
  api(DescribeTransactionsRequest, DescribeTransactionsResponse),
  api(ListTransactionsRequest, ListTransactionsResponse),
  api(AllocateProducerIdsRequest, AllocateProducerIdsResponse, FORWARDED_CLUSTER),
  api(ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse),
  api(ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse),
  api(ControllerRegistrationRequest, ControllerRegistrationResponse),
  api(GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse),
  api(PushTelemetryRequest, PushTelemetryResponse),
  api(AssignReplicasToDirsRequest, AssignReplicasToDirsResponse),
  api(ListConfigResourcesRequest, ListConfigResourcesResponse),
  api(DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse),
  api(ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse),
  api(ShareGroupDescribeRequest, ShareGroupDescribeResponse),
  api(ShareFetchRequest, ShareFetchResponse),
  api(ShareAcknowledgeRequest, ShareAcknowledgeResponse),
  api(AddRaftVoterRequest, AddRaftVoterResponse, FORWARDED),
  api(RemoveRaftVoterRequest, RemoveRaftVoterResponse, FORWARDED),
  api(UpdateRaftVoterRequest, UpdateRaftVoterResponse),
  api(InitializeShareGroupStateRequest, InitializeShareGroupStateResponse, CLUSTER),
  api(ReadShareGroupStateRequest, ReadShareGroupStateResponse, CLUSTER),
  api(WriteShareGroupStateRequest, WriteShareGroupStateResponse, CLUSTER),
  api(DeleteShareGroupStateRequest, DeleteShareGroupStateResponse, CLUSTER),
  api(ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse, CLUSTER),
  api(StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse),
  api(StreamsGroupDescribeRequest, StreamsGroupDescribeResponse),
  api(DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse),
  api(AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse),
  api(DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse),
];

const BY_KEY: readonly (ApiDescription | undefined)[] = indexByKey();

function indexByKey(): (ApiDescription | undefined)[] {
  const index: (ApiDescription | undefined)[] = [];
  for (const description of API_KEYS) index[description.key] = description;
  return Array.from(index);
}

/** The API with this key, or null when there is none (any more, or yet). */
export function apiByKey(key: number): ApiDescription | null {
  return BY_KEY[key] ?? null;
}
