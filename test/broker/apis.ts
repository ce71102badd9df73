/** Schemas of the APIs that tests speak. */
import * as alterReplicaLogDirs from '../../src/protocol/messages/alter-replica-log-dirs.ts';
import * as apiVersions from '../../src/protocol/messages/api-versions.ts';
import * as createTopics from '../../src/protocol/messages/create-topics.ts';
import * as deleteRecords from '../../src/protocol/messages/delete-records.ts';
import * as deleteTopics from '../../src/protocol/messages/delete-topics.ts';
import * as describeCluster from '../../src/protocol/messages/describe-cluster.ts';
import * as describeConfigs from '../../src/protocol/messages/describe-configs.ts';
import * as describeLogDirs from '../../src/protocol/messages/describe-log-dirs.ts';
import * as describeProducers from '../../src/protocol/messages/describe-producers.ts';
import * as describeTopicPartitions from '../../src/protocol/messages/describe-topic-partitions.ts';
import * as fetch from '../../src/protocol/messages/fetch.ts';
import * as incrementalAlterConfigs from '../../src/protocol/messages/incremental-alter-configs.ts';
import * as initProducerId from '../../src/protocol/messages/init-producer-id.ts';
import * as listOffsets from '../../src/protocol/messages/list-offsets.ts';
import * as metadata from '../../src/protocol/messages/metadata.ts';
import * as offsetForLeaderEpoch from '../../src/protocol/messages/offset-for-leader-epoch.ts';
import * as produce from '../../src/protocol/messages/produce.ts';

/** The two schemas of ApiVersions. */
export const ApiVersions = {
  request: apiVersions.ApiVersionsRequest,
  response: apiVersions.ApiVersionsResponse,
};
/** The two schemas of CreateTopics. */
export const CreateTopics = {
  request: createTopics.CreateTopicsRequest,
  response: createTopics.CreateTopicsResponse,
};
/** The two schemas of DeleteRecords. */
export const DeleteRecords = {
  request: deleteRecords.DeleteRecordsRequest,
  response: deleteRecords.DeleteRecordsResponse,
};
/** The two schemas of DeleteTopics. */
export const DeleteTopics = {
  request: deleteTopics.DeleteTopicsRequest,
  response: deleteTopics.DeleteTopicsResponse,
};
/** The two schemas of Fetch. */
export const Fetch = { request: fetch.FetchRequest, response: fetch.FetchResponse };
/** The two schemas of InitProducerId. */
export const InitProducerId = {
  request: initProducerId.InitProducerIdRequest,
  response: initProducerId.InitProducerIdResponse,
};
/** The two schemas of ListOffsets. */
export const ListOffsets = {
  request: listOffsets.ListOffsetsRequest,
  response: listOffsets.ListOffsetsResponse,
};
/** The two schemas of Metadata. */
export const Metadata = { request: metadata.MetadataRequest, response: metadata.MetadataResponse };
/** The two schemas of OffsetForLeaderEpoch. */
export const OffsetForLeaderEpoch = {
  request: offsetForLeaderEpoch.OffsetForLeaderEpochRequest,
  response: offsetForLeaderEpoch.OffsetForLeaderEpochResponse,
};
/** The two schemas of Produce. */
export const Produce = { request: produce.ProduceRequest, response: produce.ProduceResponse };
/** The two schemas of DescribeCluster. */
export const DescribeCluster = {
  request: describeCluster.DescribeClusterRequest,
  response: describeCluster.DescribeClusterResponse,
};
/** The two schemas of DescribeConfigs. */
export const DescribeConfigs = {
  request: describeConfigs.DescribeConfigsRequest,
  response: describeConfigs.DescribeConfigsResponse,
};
/** The two schemas of AlterReplicaLogDirs. */
export const AlterReplicaLogDirs = {
  request: alterReplicaLogDirs.AlterReplicaLogDirsRequest,
  response: alterReplicaLogDirs.AlterReplicaLogDirsResponse,
};
/** The two schemas of DescribeLogDirs. */
export const DescribeLogDirs = {
  request: describeLogDirs.DescribeLogDirsRequest,
  response: describeLogDirs.DescribeLogDirsResponse,
};
/** The two schemas of DescribeProducers. */
export const DescribeProducers = {
  request: describeProducers.DescribeProducersRequest,
  response: describeProducers.DescribeProducersResponse,
};
/** The two schemas of DescribeTopicPartitions. */
export const DescribeTopicPartitions = {
  request: describeTopicPartitions.DescribeTopicPartitionsRequest,
  response: describeTopicPartitions.DescribeTopicPartitionsResponse,
};
/** The two schemas of IncrementalAlterConfigs. */
export const IncrementalAlterConfigs = {
  request: incrementalAlterConfigs.IncrementalAlterConfigsRequest,
  response: incrementalAlterConfigs.IncrementalAlterConfigsResponse,
};
