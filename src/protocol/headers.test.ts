import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { firstDifference, readVectors } from '../../test/harness/schemas.ts';
import { apiByKey } from './api-keys.ts';
import { codecOf } from './codec.ts';
import {
  decodeRequestHeader,
  encodeRequest,
  encodeResponse,
  readCorrelationId,
  responseBodyStart,
} from './headers.ts';
import { ApiVersionsResponse } from './messages/api-versions.ts';
import { FetchResponse } from './messages/fetch.ts';
import { RequestHeader, ResponseHeader } from './messages/message-headers.ts';
import { ProduceRequest } from './messages/produce.ts';
import { ProtocolError } from './protocol-error.ts';

interface FrameVector {
  readonly case: string;
  readonly apiKey: number;
  readonly version: number;
  readonly requestHeaderVersion: number;
  readonly responseHeaderVersion: number;
  readonly clientId: string;
  readonly correlationId: number;
  readonly requestHex: string;
  readonly responseHex: string;
}

const all = readVectors<FrameVector>('frames.jsonl');
const frames = all.filter((frame) => frame.apiKey !== undefined);
const concat = (parts: readonly unknown[]): string => Buffer.concat(parts as Buffer[]).toString('hex');

suite('frames that Kafka wrote', () => {
  test('there are requests and responses with both headers', () => {
    assert.equal(frames.length, 8);
    assert.deepEqual(new Set(frames.map((frame) => frame.requestHeaderVersion)), new Set([1, 2]));
    assert.deepEqual(new Set(frames.map((frame) => frame.responseHeaderVersion)), new Set([0, 1]));
  });

  for (const frame of frames) {
    const where = `${frame.case} v${frame.version}`;
    const api = apiByKey(frame.apiKey);
    assert(api !== null);

    test(`the request ${where} is read and written`, () => {
      const bytes = Buffer.from(frame.requestHex, 'hex');
      const header = decodeRequestHeader(bytes, 4, bytes.length);
      const { bodyStart, ...rest } = header;
      assert.deepEqual(rest, {
        apiKey: frame.apiKey,
        apiVersion: frame.version,
        correlationId: frame.correlationId,
        clientId: frame.clientId,
      });
      const codec = codecOf(api.request, frame.version);
      const body = codec.decode(bytes, bodyStart);
      assert.equal(codec.lastEnd, bytes.length);
      const { version, correlationId, clientId } = frame;
      assert.equal(concat(encodeRequest(api, version, correlationId, clientId, body)), frame.requestHex);
    });

    test(`the response ${where} is read and written`, () => {
      const bytes = Buffer.from(frame.responseHex, 'hex');
      assert.equal(readCorrelationId(bytes, 4, bytes.length), frame.correlationId);
      const bodyStart = responseBodyStart(api, frame.version, bytes, 4, bytes.length);
      const codec = codecOf(api.response, frame.version);
      const body = codec.decode(bytes, bodyStart);
      assert.equal(codec.lastEnd, bytes.length);
      assert.equal(concat(encodeResponse(api, frame.version, frame.correlationId, body)), frame.responseHex);
    });
  }

  test('a version of ApiVersions that is not served has a flexible header and is answered at version 0', () => {
    const frame = all.find((one) => one.case === 'ApiVersions-unsupported-version');
    assert(frame !== undefined);
    const bytes = Buffer.from(frame.requestHex, 'hex');
    const header = decodeRequestHeader(bytes, 4, bytes.length);
    assert.deepEqual(header, {
      apiKey: 18,
      apiVersion: 99,
      correlationId: 7,
      clientId: 'cid',
      bodyStart: 18,
    });
    const body = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] };
    const parts = encodeResponse({ response: ApiVersionsResponse }, 0, 7, body);
    assert.equal(concat(parts), frame.responseHex);
  });
});

suite('headers', () => {
  test('the hand-written request header is that of the schema', () => {
    for (const [apiVersion, version] of [
      [8, 1],
      [9, 2],
    ] as const) {
      for (const clientId of ['', 'client é', null]) {
        const value = { requestApiKey: 0, requestApiVersion: apiVersion, correlationId: -5, clientId };
        const bytes = codecOf(RequestHeader, version).encode(value, 3);
        const header = decodeRequestHeader(bytes, 3, bytes.length);
        assert.equal(header.clientId, clientId ?? '');
        assert.equal(header.correlationId, -5);
        assert.equal(header.bodyStart, bytes.length);
        const body = { acks: 1, timeoutMs: 2, topicData: [] };
        const frame = Buffer.concat(
          encodeRequest({ request: ProduceRequest }, apiVersion, -5, clientId, body) as Buffer[],
        );
        assert.deepEqual(frame.subarray(4, 4 + bytes.length - 3), bytes.subarray(3));
        assert.equal(frame.readInt32BE(0), frame.length - 4);
      }
    }
  });

  test('the hand-written response header is that of the schema, and its tagged fields are skipped', () => {
    const unknownTaggedFields = [{ tag: 3, data: Buffer.from('abc') }];
    const header = codecOf(ResponseHeader, 1).encode({ correlationId: 9, unknownTaggedFields });
    const api = apiByKey(1);
    assert(api !== null);
    assert.equal(responseBodyStart(api, 12, header, 0, header.length), header.length);
    assert.equal(responseBodyStart(api, 11, header, 0, header.length), 4);
  });

  test('tagged fields of a request header are skipped', () => {
    const unknownTaggedFields = [3, 400].map((tag) => ({ tag, data: Buffer.alloc(200) }));
    const value = {
      requestApiKey: 0,
      requestApiVersion: 9,
      correlationId: 1,
      clientId: 'c',
      unknownTaggedFields,
    };
    const bytes = codecOf(RequestHeader, 2).encode(value);
    assert.equal(decodeRequestHeader(bytes, 0, bytes.length).bodyStart, bytes.length);
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => decodeRequestHeader(bytes, 0, end), ProtocolError);
    }
  });

  test('an API that does not exist is an error, a version that does not is not', () => {
    const header = (apiKey: number, requestApiVersion: number): Buffer =>
      codecOf(RequestHeader, 1).encode({
        requestApiKey: apiKey,
        requestApiVersion,
        correlationId: 1,
        clientId: 'c',
      });
    for (const key of [-1, 4, 7, 93, 32767]) {
      assert.throws(() => decodeRequestHeader(header(key, 0), 0, 11), ProtocolError);
    }
    assert.equal(decodeRequestHeader(header(0, -1), 0, 11).apiVersion, -1);
    assert.equal(decodeRequestHeader(header(0, 2), 0, 11).apiVersion, 2);
  });

  test('the frame size counts the ranges that are sent from where they lie', () => {
    const records = { lengthBytes: 1_000_000 };
    const partitions = [
      { partitionIndex: 0, errorCode: 0, highWatermark: 1, abortedTransactions: null, records },
    ];
    const body = { responses: [{ topic: 't', partitions }] };
    for (const version of [11, 12]) {
      const parts = encodeResponse({ response: FetchResponse }, version, 3, body);
      const own = parts.filter((part) => Buffer.isBuffer(part)) as Buffer[];
      const total = own.reduce((sum, part) => sum + part.length, 0) + records.lengthBytes;
      assert.equal(parts.length - own.length, 1);
      assert.equal(own[0]?.readInt32BE(0), total - 4);
    }
  });

  test('the body that a response carries is what the caller gave', () => {
    const api = apiByKey(12);
    assert(api !== null);
    const body = { throttleTimeMs: 5, errorCode: 27 };
    const bytes = Buffer.concat(encodeResponse(api, 4, 1, body) as Buffer[]);
    const start = responseBodyStart(api, 4, bytes, 4, bytes.length);
    assert.equal(firstDifference(codecOf(api.response, 4).decode(bytes, start), body), null);
  });
});
