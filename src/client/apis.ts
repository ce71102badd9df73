import { VERSION } from '../base/version.ts';
import type { SendPart } from '../io/network.ts';
import { codecOf } from '../protocol/codec.ts';
import { encodeRequest, responseBodyStart } from '../protocol/headers.ts';
import { ApiVersionsRequest, ApiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { CreateTopicsRequest, CreateTopicsResponse } from '../protocol/messages/create-topics.ts';
import { DeleteRecordsRequest, DeleteRecordsResponse } from '../protocol/messages/delete-records.ts';
import { DeleteTopicsRequest, DeleteTopicsResponse } from '../protocol/messages/delete-topics.ts';
import { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import { InitProducerIdRequest, InitProducerIdResponse } from '../protocol/messages/init-producer-id.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import { MetadataRequest, MetadataResponse } from '../protocol/messages/metadata.ts';
import { ProduceRequest, ProduceResponse } from '../protocol/messages/produce.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { InputOf, MessageOf, MessageSpec } from '../protocol/schema.ts';
import { parseVersions } from '../protocol/versions.ts';
import type { Call } from './call.ts';

/** What this client calls its version towards brokers. */
export const CLIENT_VERSION: string = VERSION;

/** What an API is to a client beyond its two schemas. */
interface CallOptions {
  /** The decoded answer holds views of the frame. */
  readonly keepsFrame?: boolean;
}

/** Makes a call of an API's two schemas; the highest version is left out while it is unstable. */
function callOf<Q extends MessageSpec, A extends MessageSpec>(
  request: Q,
  response: A,
  options: CallOptions = {},
): Call<InputOf<Q>, MessageOf<A>> {
  const { low, high } = parseVersions(request.versions);
  return {
    key: request.apiKey ?? -1,
    name: request.name.replace(/Request$/, ''),
    minVersion: low,
    maxVersion: request.latestVersionUnstable ? high - 1 : high,
    keepsFrame: options.keepsFrame ?? false,

    encode(version, correlationId, clientId, body) {
      // A client sends bytes only, no ranges.
      return encodeRequest({ request }, version, correlationId, clientId, body) as SendPart[];
    },

    decode(version, buffer, start, end) {
      const bodyStart = responseBodyStart({ response }, version, buffer, start, end);
      const codec = codecOf(response, version);
      const answer = codec.decode(buffer, bodyStart, end);
      if (codec.lastEnd !== end) {
        throw new ProtocolError('length', `${end - codec.lastEnd} bytes follow the ${response.name}`);
      }
      return answer;
    },
  };
}

/** Appends record batches. */
export const PRODUCE = callOf(ProduceRequest, ProduceResponse);
/** Reads record batches; the answer's records are views of the frame. */
export const FETCH = callOf(FetchRequest, FetchResponse, { keepsFrame: true });
/** Finds offsets by time or place. */
export const LIST_OFFSETS = callOf(ListOffsetsRequest, ListOffsetsResponse);
/** Brokers, topics, leaders. */
export const METADATA = callOf(MetadataRequest, MetadataResponse);
/** What the broker speaks. */
export const API_VERSIONS = callOf(ApiVersionsRequest, ApiVersionsResponse);
/** Makes topics. */
export const CREATE_TOPICS = callOf(CreateTopicsRequest, CreateTopicsResponse);
/** Deletes records at the start of partitions. */
export const DELETE_RECORDS = callOf(DeleteRecordsRequest, DeleteRecordsResponse);
/** Deletes topics. */
export const DELETE_TOPICS = callOf(DeleteTopicsRequest, DeleteTopicsResponse);
/** Gives out producer ids. */
export const INIT_PRODUCER_ID = callOf(InitProducerIdRequest, InitProducerIdResponse);
