import { varintEnd, writeUnsignedVarint } from '../base/varint.ts';
import { apiByKey } from './api-keys.ts';
import { codecOf, type Part } from './codec.ts';
import { badLength, readLength, readText, truncated } from './decoding.ts';
import { textSize, writeText } from './encoding.ts';
import { ProtocolError } from './protocol-error.ts';
import type { InputOf, MessageSpec } from './schema.ts';

/**
 * Frames: an int32 size, a header, a body. Written by hand rather than from the header schemas, because the
 * header goes into the headroom of the encoded body.
 *
 *     request header v1   apiKey int16, apiVersion int16, correlationId int32, clientId nullable string (int16 length)
 *     request header v2   the same, then a tagged section; for flexible versions
 *     response header v0  correlationId int32
 *     response header v1  the same, then a tagged section; for flexible versions, but never for ApiVersions
 *
 * Source: `RequestHeader.java`, `ApiMessageTypeGenerator.java`; KIP-482, KIP-511.
 */

const SIZE_BYTES = 4;
const CORRELATION_ID_BYTES = 4;
const API_VERSIONS_KEY = 18;

/** The header of a request. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  /** Empty when the client sent none. */
  readonly clientId: string;
  /** Where the body begins in the buffer. */
  readonly bodyStart: number;
}

/**
 * Reads the header of the request in `[start, end)`, without the size. The version need not be one that is
 * served: a flexible header is assumed from the first flexible version on.
 * @throws ProtocolError when the API does not exist or the header is damaged.
 */
export function decodeRequestHeader(buffer: Buffer, start: number, end: number): RequestHeader {
  if (end - start < 10) throw truncated('request header');
  const apiKey = buffer.readInt16BE(start);
  const apiVersion = buffer.readInt16BE(start + 2);
  const correlationId = buffer.readInt32BE(start + 4);
  const length = buffer.readInt16BE(start + 8);
  const clientIdStart = start + 10;
  let bodyStart = clientIdStart + Math.max(0, length);
  if (bodyStart > end) throw badLength('request header clientId', length);
  const clientId = readText(buffer, clientIdStart, bodyStart);
  const api = apiByKey(apiKey);
  if (api === null) throw new ProtocolError('version', `no API has key ${apiKey}`);
  if (apiVersion >= api.flexibleFrom) bodyStart = skipTaggedSection(buffer, bodyStart, end);
  return { apiKey, apiVersion, correlationId, clientId, bodyStart };
}

/** The position after a tagged section of which nothing is wanted. */
function skipTaggedSection(buffer: Buffer, position: number, end: number): number {
  const where = 'tagged fields of a header';
  let count = readLength(buffer, position, end, where);
  position = varintEnd();
  for (; count > 0; count--) {
    readLength(buffer, position, end, where);
    const size = readLength(buffer, varintEnd(), end, where);
    position = varintEnd() + size;
    if (position > end) throw badLength(where, size);
  }
  return position;
}

/** What identifies an API to those who answer: its response schema. `ApiDescription` is one. */
interface Answering<R extends MessageSpec> {
  readonly response: R;
}

/** What identifies an API to those who ask: its request schema. `ApiDescription` is one. */
interface Asking<Q extends MessageSpec> {
  readonly request: Q;
}

/**
 * A whole response frame. The parts belong to the caller; ranges in `body` are in them as they were given.
 * @throws ProtocolError when this version cannot carry the body.
 */
export function encodeResponse<R extends MessageSpec>(
  api: Answering<R>,
  version: number,
  correlationId: number,
  body: InputOf<R>,
): Part[] {
  const codec = codecOf(api.response, version);
  const tagged = codec.flexible && api.response.apiKey !== API_VERSIONS_KEY;
  const headroomBytes = SIZE_BYTES + CORRELATION_ID_BYTES + (tagged ? 1 : 0);
  const parts = codec.encodeParts(body, headroomBytes);
  const first = parts[0] as Buffer;
  first.writeInt32BE(headroomBytes - SIZE_BYTES + codec.lastSize, 0);
  first.writeInt32BE(correlationId, SIZE_BYTES);
  if (tagged) first[headroomBytes - 1] = 0;
  return parts;
}

/** What stands before the body of a response that was encoded otherwise: size and header. */
export function responseHead(
  api: Answering<MessageSpec>,
  version: number,
  correlationId: number,
  bodyBytes: number,
): Buffer {
  const { flexible } = codecOf(api.response, version);
  const tagged = flexible && api.response.apiKey !== API_VERSIONS_KEY;
  const head = Buffer.alloc(SIZE_BYTES + CORRELATION_ID_BYTES + (tagged ? 1 : 0));
  head.writeInt32BE(head.length - SIZE_BYTES + bodyBytes, 0);
  head.writeInt32BE(correlationId, SIZE_BYTES);
  return head;
}

/**
 * A whole request frame. @param clientId null when there is none.
 * @throws ProtocolError when this version cannot carry the body.
 */
export function encodeRequest<Q extends MessageSpec>(
  api: Asking<Q>,
  version: number,
  correlationId: number,
  clientId: string | null,
  body: InputOf<Q>,
): Part[] {
  const codec = codecOf(api.request, version);
  const clientIdBytes = clientId === null ? 0 : textSize(clientId, 'request header clientId');
  const headroomBytes = SIZE_BYTES + 10 + clientIdBytes + (codec.flexible ? 1 : 0);
  const parts = codec.encodeParts(body, headroomBytes);
  const first = parts[0] as Buffer;
  first.writeInt32BE(headroomBytes - SIZE_BYTES + codec.lastSize, 0);
  first.writeInt16BE(api.request.apiKey ?? -1, 4);
  first.writeInt16BE(version, 6);
  first.writeInt32BE(correlationId, 8);
  if (clientId === null) first.writeInt16BE(-1, 12);
  else writeText(first, 12, clientId);
  if (codec.flexible) writeUnsignedVarint(first, headroomBytes - 1, 0);
  return parts;
}

/**
 * The correlation id of the response in `[start, end)`, which tells what request it answers. @throws
 * ProtocolError
 */
export function readCorrelationId(buffer: Buffer, start: number, end: number): number {
  if (end - start < CORRELATION_ID_BYTES) throw truncated('response header');
  return buffer.readInt32BE(start);
}

/** Where the body begins in the response to a request of `api` at `version`. @throws ProtocolError */
export function responseBodyStart(
  api: Answering<MessageSpec>,
  version: number,
  buffer: Buffer,
  start: number,
  end: number,
): number {
  readCorrelationId(buffer, start, end);
  const position = start + CORRELATION_ID_BYTES;
  const tagged = codecOf(api.response, version).flexible && api.response.apiKey !== API_VERSIONS_KEY;
  return tagged ? skipTaggedSection(buffer, position, end) : position;
}
