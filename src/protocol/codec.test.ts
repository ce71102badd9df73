import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { ZERO_UUID } from '../base/uuid.ts';
import { writeUnsignedVarint } from '../base/varint.ts';
import { codecOf } from './codec.ts';
import { MAX_OBJECTS } from './decoding.ts';
import { ApiVersionsResponse } from './messages/api-versions.ts';
import { DescribeGroupsRequest } from './messages/describe-groups.ts';
import { DescribeTopicPartitionsRequest } from './messages/describe-topic-partitions.ts';
import { EnvelopeRequest } from './messages/envelope.ts';
import { FetchRequest, FetchResponse } from './messages/fetch.ts';
import { HeartbeatRequest } from './messages/heartbeat.ts';
import { ListOffsetsRequest, ListOffsetsResponse } from './messages/list-offsets.ts';
import { MetadataRequest } from './messages/metadata.ts';
import { OffsetFetchRequest } from './messages/offset-fetch.ts';
import { ProduceRequest } from './messages/produce.ts';
import { ProtocolError, type ProtocolErrorReason } from './protocol-error.ts';
import { ConfigRecord } from './records/config-record.ts';
import { ConsumerGroupMemberMetadataValue } from './records/consumer-group-member-metadata.ts';
import { ConsumerGroupMetadataValue } from './records/consumer-group-metadata.ts';
import { OffsetCommitValue } from './records/offset-commit.ts';
import {
  array,
  bool,
  commonStruct,
  type InputOf,
  int16,
  int32,
  int64,
  MAX_INT64,
  message,
  type MessageOf,
  nested,
  single,
  string,
  structs,
} from './schema.ts';

function fails(reason: ProtocolErrorReason, message: RegExp, action: () => unknown): void {
  assert.throws(action, (error: unknown) => {
    assert(error instanceof ProtocolError, String(error));
    assert.equal(error.reason, reason, error.message);
    assert.match(error.message, message);
    return true;
  });
}

function fetchRequest(fetchOffset: number): InputOf<typeof FetchRequest> {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 }];
  return { maxWaitMs: 500, minBytes: 1, topics: [{ topic: 'orders', partitions }] };
}

suite('versions', () => {
  test('a version that the message does not have is refused', () => {
    fails('version', /FetchRequest has no version 3/, () => codecOf(FetchRequest, 3));
    fails('version', /no version 19/, () => codecOf(FetchRequest, 19));
    fails('version', /no version -1/, () => codecOf(FetchRequest, -1));
    fails('version', /no version 4.5/, () => codecOf(FetchRequest, 4.5));
  });

  test('there is one codec for each message and version', () => {
    assert.equal(codecOf(FetchRequest, 12), codecOf(FetchRequest, 12));
    assert.notEqual(codecOf(FetchRequest, 12), codecOf(FetchRequest, 13));
  });

  test('fields of other versions have their defaults after decoding', () => {
    const codec = codecOf(FetchRequest, 4);
    const decoded = codec.decode(codec.encode(fetchRequest(7)));
    assert.deepEqual(decoded, {
      clusterId: null,
      replicaId: -1,
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 2147483647,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        {
          topic: 'orders',
          topicId: ZERO_UUID,
          partitions: [
            {
              partition: 0,
              currentLeaderEpoch: -1,
              fetchOffset: 7,
              lastFetchedEpoch: -1,
              logStartOffset: -1,
              partitionMaxBytes: 1,
              replicaDirectoryId: ZERO_UUID,
              highWatermark: MAX_INT64,
            },
          ],
        },
      ],
      forgottenTopicsData: [],
      rackId: '',
    });
  });

  test('defaults are made anew for each message, so that changing one does not change the next', () => {
    const codec = codecOf(FetchRequest, 4);
    const bytes = codec.encode(fetchRequest(7));
    codec.decode(bytes).replicaState.replicaId = 5;
    codec.decode(bytes).forgottenTopicsData.push({ topic: 'x', topicId: ZERO_UUID, partitions: [] });
    assert.equal(codec.decode(bytes).replicaState.replicaId, -1);
    assert.deepEqual(codec.decode(bytes).forgottenTopicsData, []);
  });

  test('a value that the version has no field for is an error, unless it is the default or ignorable', () => {
    const v2 = codecOf(HeartbeatRequest, 2);
    const plain = { groupId: 'g', generationId: 1, memberId: 'm' };
    fails('version', /HeartbeatRequest v2 groupInstanceId/, () =>
      v2.encode({ ...plain, groupInstanceId: 'i' }),
    );
    fails('version', /groupInstanceId/, () => v2.sizeOf({ ...plain, groupInstanceId: 'i' }));
    assert.deepEqual(v2.encode({ ...plain, groupInstanceId: null }), v2.encode(plain));
    const v4 = codecOf(FetchRequest, 4);
    assert.deepEqual(
      v4.encode({ ...fetchRequest(1), rackId: 'r', sessionId: 9 }),
      v4.encode(fetchRequest(1)),
    );
    fails('version', /replicaState/, () => v4.encode({ ...fetchRequest(1), replicaState: { replicaId: 1 } }));
    assert.doesNotThrow(() => v4.encode({ ...fetchRequest(1), replicaState: { replicaId: -1 } }));
    fails('version', /groups/, () => codecOf(OffsetFetchRequest, 7).encode({ groups: [{ groupId: 'g' }] }));
  });
});

suite('nulls', () => {
  test('null is refused where the version has none', () => {
    fails('null', /MetadataRequest v0 topics/, () => codecOf(MetadataRequest, 0).encode({ topics: null }));
    assert.deepEqual(
      codecOf(MetadataRequest, 1).decode(codecOf(MetadataRequest, 1).encode({ topics: null })).topics,
      null,
    );
    fails('null', /MetadataRequest v0 topics/, () =>
      codecOf(MetadataRequest, 0).decode(Buffer.from('ffffffff', 'hex')),
    );
    const missing = { groupId: null, generationId: 1, memberId: 'm' } as never;
    fails('null', /groupId/, () => codecOf(HeartbeatRequest, 0).encode(missing));
    fails('null', /groupId/, () =>
      codecOf(HeartbeatRequest, 0).decode(Buffer.from('ffff000000010000', 'hex')),
    );
    fails('null', /groupId/, () => codecOf(HeartbeatRequest, 4).decode(Buffer.from('00000000010000', 'hex')));
  });

  test('a nullable struct is null after any negative marker and present after any other', () => {
    const codec = codecOf(DescribeTopicPartitionsRequest, 0);
    const cursor = { topicName: 't', partitionIndex: 5 };
    const none = codec.encode({ topics: [], cursor: null });
    const some = codec.encode({ topics: [], cursor });
    assert.equal(none.toString('hex'), '01000007d0ff00');
    assert.equal(some.toString('hex'), '01000007d001027400000005' + '00' + '00');
    for (const marker of [0xff, 0x80]) {
      none[5] = marker;
      assert.equal(codec.decode(none).cursor, null);
    }
    for (const marker of [0, 1, 0x7f]) {
      some[5] = marker;
      assert.deepEqual(codec.decode(some).cursor, cursor);
    }
  });

  test('a tagged struct whose default is not null has its null written, and its default not', () => {
    const codec = codecOf(ConsumerGroupMemberMetadataValue, 0);
    const value = codec.decode(codec.encode({ ...EMPTY_MEMBER, classicMemberMetadata: null }));
    assert.equal(value.classicMemberMetadata, null);
    const plain = codec.encode(EMPTY_MEMBER);
    assert.deepEqual(
      codec.encode({
        ...EMPTY_MEMBER,
        classicMemberMetadata: { sessionTimeoutMs: 0, supportedProtocols: [] },
      }),
      plain,
    );
    assert.deepEqual(codec.decode(plain).classicMemberMetadata, {
      sessionTimeoutMs: 0,
      supportedProtocols: [],
    });
  });
});

const EMPTY_MEMBER = {
  instanceId: null,
  rackId: null,
  clientId: '',
  clientHost: '',
  subscribedTopicNames: [],
  subscribedTopicRegex: null,
  serverAssignor: null,
};

suite('int64', () => {
  const codec = codecOf(FetchRequest, 12);

  function decodeOffset(value: bigint): number {
    const bytes = codec.encode(fetchRequest(0x1122334455667));
    const position = bytes.indexOf(Buffer.from('0001122334455667', 'hex'));
    assert(position > 0);
    bytes.writeBigInt64BE(value, position);
    return codec.decode(bytes).topics[0]?.partitions[0]?.fetchOffset as number;
  }

  test('every safe integer is read as it is', () => {
    const values = [
      0,
      1,
      -1,
      2 ** 31,
      -(2 ** 31),
      2 ** 32,
      2 ** 32 - 1,
      -(2 ** 32),
      2 ** 53 - 1,
      -(2 ** 53 - 1),
    ];
    for (const value of values) assert.equal(decodeOffset(BigInt(value)), value);
  });

  test('a value past 2^53 is a ProtocolError and never rounded', () => {
    const values = [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 53n) - 1n, -(2n ** 63n), 2n ** 62n];
    for (const value of values) {
      fails('int64', new RegExp(`FetchRequest v12 topics.partitions.fetchOffset: ${value} `), () =>
        decodeOffset(value),
      );
    }
  });

  test('a value that is no safe integer is not written', () => {
    for (const value of [2 ** 53, -(2 ** 53) - 2, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300]) {
      fails('value', /fetchOffset/, () => codec.encode(fetchRequest(value)));
    }
  });

  test('the high watermark of a fetch has the largest int64 as its default, on the wire or not', () => {
    const v18 = codecOf(FetchRequest, 18);
    const bytes = v18.encode(fetchRequest(1));
    const partition = (buffer: Buffer) => v18.decode(buffer).topics[0]?.partitions[0];
    assert.equal(partition(bytes)?.highWatermark, MAX_INT64);
    const low = v18.encode({
      ...fetchRequest(1),
      topics: [{ partitions: [{ ...PARTITION, highWatermark: 3 }] }],
    });
    assert.equal(partition(low)?.highWatermark, 3);
    const position = low.indexOf(Buffer.from('0000000000000003', 'hex'));
    low.writeBigInt64BE(2n ** 63n - 1n, position);
    assert.equal(partition(low)?.highWatermark, MAX_INT64);
    low.writeBigInt64BE(2n ** 63n - 2n, position);
    fails('int64', /highWatermark/, () => partition(low));
    assert.equal(v18.encode(v18.decode(bytes)).length, bytes.length);
  });

  test('timestamps of records and hashes have their full range', () => {
    const request = codecOf(ListOffsetsRequest, 7);
    const timestamp = 2n ** 62n + 1n;
    const asked = request.decode(
      request.encode({
        replicaId: -1,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }],
      }),
    );
    assert.equal(asked.topics[0]?.partitions[0]?.timestamp, timestamp);
    const response = codecOf(ListOffsetsResponse, 7);
    const partitions = [{ partitionIndex: 0, errorCode: 0, timestamp: -(2n ** 63n), offset: 5 }];
    const answered = response.decode(response.encode({ topics: [{ name: 't', partitions }] }));
    assert.equal(answered.topics[0]?.partitions[0]?.timestamp, -(2n ** 63n));
    const hash = codecOf(ConsumerGroupMetadataValue, 0);
    assert.equal(
      hash.decode(hash.encode({ epoch: 1, metadataHash: 2n ** 63n - 1n })).metadataHash,
      2n ** 63n - 1n,
    );
    fails('value', /metadataHash/, () => hash.encode({ epoch: 1, metadataHash: 2n ** 63n }));
    fails('value', /metadataHash/, () => hash.encode({ epoch: 1, metadataHash: 0.5 }));
  });

  test('a wide field takes a number too, and its default is dropped like any other', () => {
    const v1 = codecOf(OffsetCommitValue, 1);
    const value = { offset: 1, metadata: 'm', commitTimestamp: 2 };
    assert.deepEqual(
      v1.encode({ ...value, expireTimestamp: 5 }),
      v1.encode({ ...value, expireTimestamp: 5n }),
    );
    const v3 = codecOf(OffsetCommitValue, 3);
    assert.deepEqual(v3.encode({ ...value, expireTimestamp: -1 }), v3.encode(value));
    assert.deepEqual(v3.encode({ ...value, expireTimestamp: 5 }), v3.encode(value), 'it is ignorable');
  });

  test('config values keep their text, whatever number it is', () => {
    const config = codecOf(ConfigRecord, 0);
    const value = { resourceType: 2, resourceName: 't', name: 'retention.ms', value: '9223372036854775807' };
    assert.equal(config.decode(config.encode(value)).value, '9223372036854775807');
  });
});

const PARTITION = { partition: 0, fetchOffset: 1, partitionMaxBytes: 1 };

suite('numbers', () => {
  test('a number that its type cannot hold is not written', () => {
    const codec = codecOf(HeartbeatRequest, 0);
    for (const generationId of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN]) {
      fails('value', /generationId/, () => codec.encode({ groupId: '', generationId, memberId: '' }));
    }
    const produce = codecOf(ProduceRequest, 9);
    for (const acks of [32768, -32769, 0.1]) {
      fails('value', /acks/, () => produce.encode({ acks, timeoutMs: 1, topicData: [] }));
    }
  });
});

suite('strings', () => {
  const codec = codecOf(HeartbeatRequest, 4);
  const old = codecOf(HeartbeatRequest, 0);

  test('bytes that are not UTF-8 become U+FFFD', () => {
    const decoded = codec.decode(Buffer.from('03ff280000000102610000', 'hex'));
    assert.equal(decoded.groupId, '\ufffd(');
    assert.equal(decoded.memberId, 'a');
  });

  test('half a surrogate pair is written as U+FFFD', () => {
    for (const one of [codec, old]) {
      const decoded = one.decode(
        one.encode({ groupId: 'a\ud800', generationId: 1, memberId: '\udc00'.repeat(60) }),
      );
      assert.equal(decoded.groupId, 'a\ufffd');
      assert.equal(decoded.memberId, '\ufffd'.repeat(60));
    }
  });

  test('32,767 bytes are a string and one more is an error, both ways', () => {
    for (const one of [codec, old]) {
      const longest = 'é'.repeat(16383) + 'x';
      const value = { groupId: longest, generationId: 1, memberId: 'm' };
      assert.equal(one.decode(one.encode(value)).groupId, longest);
      fails('length', /groupId/, () => one.encode({ ...value, groupId: `${longest}x` }));
      fails('length', /groupId/, () => one.encode({ ...value, groupId: 'é'.repeat(16384) }));
    }
    const tooLong = Buffer.concat([Buffer.from('818002', 'hex'), Buffer.alloc(40000, 0x61)]);
    fails('length', /groupId/, () => codec.decode(tooLong));
  });
});

suite('bytes and records', () => {
  test('records are a view of the input, other bytes a copy', () => {
    const produce = codecOf(ProduceRequest, 9);
    const partitionData = [{ index: 0, records: Buffer.from('abcd') }];
    const frame = produce.encode({ acks: 1, timeoutMs: 1, topicData: [{ name: 't', partitionData }] });
    const records = produce.decode(frame).topicData[0]?.partitionData[0]?.records as Buffer;
    assert.equal(records.buffer, frame.buffer);
    const envelope = codecOf(EnvelopeRequest, 0);
    const value = {
      requestData: Buffer.from('abcd'),
      requestPrincipal: null,
      clientHostAddress: Buffer.from('x'),
    };
    const bytes = envelope.encode(value);
    const { requestData } = envelope.decode(bytes);
    bytes.fill(0);
    frame.fill(0);
    assert.equal(requestData.toString(), 'abcd');
    assert.equal(records.toString(), '\0\0\0\0');
  });

  function response(
    records: InputOf<typeof FetchResponse>['responses'][number]['partitions'][number]['records'],
  ) {
    const partition = { errorCode: 0, highWatermark: 9, abortedTransactions: null };
    return {
      responses: [
        {
          topic: 't',
          partitions: [
            { ...partition, partitionIndex: 0, records },
            { ...partition, partitionIndex: 1, records: null },
          ],
        },
      ],
    };
  }

  test('ranges and long records become parts of their own, in their places', () => {
    for (const version of [4, 11, 12, 17]) {
      const codec = codecOf(FetchResponse, version);
      const [one, two, long] = [Buffer.alloc(2000, 1), Buffer.alloc(70000, 2), Buffer.alloc(5000, 3)];
      const short = Buffer.alloc(10, 4);
      const ranges = new Map<unknown, Buffer>([
        [{ lengthBytes: one.length }, one],
        [{ lengthBytes: two.length }, two],
      ]);
      const [first, second] = [...ranges.keys()] as { lengthBytes: number }[];
      assert(first !== undefined && second !== undefined);
      const parts = codec.encodeParts(response([first, long, short, second]), 8);
      assert.equal(parts.includes(first) && parts.includes(second) && parts.includes(long), true);
      assert.equal(parts.includes(short), false);
      const bytes = Buffer.concat(parts.map((part) => ranges.get(part) ?? (part as Buffer)));
      assert.equal(codec.lastSize, bytes.length - 8);
      assert.deepEqual(bytes.subarray(8), codec.encode(response(Buffer.concat([one, long, short, two]))));
      assert.deepEqual(codec.sizeOf(response([first, long, short, second])), bytes.length - 8);
    }
  });

  test('a range cannot go into one buffer', () => {
    fails('value', /records/, () => codecOf(FetchResponse, 12).encode(response({ lengthBytes: 5 })));
  });

  test('no records at all, empty records and null are told apart', () => {
    const codec = codecOf(FetchResponse, 12);
    const read = (records: Parameters<typeof response>[0]) =>
      codec.decode(codec.encode(response(records))).responses[0]?.partitions[0]?.records;
    assert.equal(read(null), null);
    assert.deepEqual(read(Buffer.alloc(0)), Buffer.alloc(0));
    assert.deepEqual(read([]), Buffer.alloc(0));
  });
});

const Pair = commonStruct('Pair', '0+', {
  left: int32('0+'),
  right: string('1+', { nullable: '1+', default: null }),
});
const Sample = message({ name: 'Sample', kind: 'data', versions: '0-2', flexible: '1+' }, () => ({
  id: int16('0+'),
  second: single('1+', Pair, { tag: 1 }),
  pairs: array('0+', Pair),
  flag: bool('2+', { tag: 5, default: true }),
  fourth: nested(
    '1+',
    'Inner',
    { value: int64('1+', { default: -1 }) },
    { tag: 3, nullable: '1+', default: null },
  ),
  names: structs('2+', 'Name', { name: string('2+') }, { ignorable: true }),
}));
type Sample = MessageOf<typeof Sample>;

suite('tagged fields', () => {
  const codec = codecOf(Sample, 2);
  const plain = { id: 7, pairs: [], names: [] };

  test('a tagged field is written only when it differs from its default, in the order of tags', () => {
    assert.equal(codec.encode(plain).toString('hex'), '00070101' + '00');
    assert.equal(
      codec.encode({ ...plain, flag: false, second: { left: 1 }, fourth: { value: 2 } }).toString('hex'),
      '00070101' + '03' + '0106' + '000000010000' + '030a' + '01000000000000000200' + '0501' + '00',
    );
  });

  test('a tag over 127 takes two bytes', () => {
    const High = message({ name: 'High', kind: 'data', versions: '0', flexible: '0+' }, () => ({
      value: int16('0+', { tag: 200 }),
    }));
    assert.equal(codecOf(High, 0).encode({ value: 7 }).toString('hex'), '01' + 'c801' + '02' + '0007');
  });

  test('unknown tagged fields survive among known ones, in every struct', () => {
    const unknown = (...tags: number[]) => tags.map((tag) => ({ tag, data: Buffer.from(`of ${tag}`) }));
    const value: Sample = {
      id: 1,
      second: { left: 5, right: 'x', unknownTaggedFields: unknown(0, 9) },
      pairs: [{ left: 1, right: null, unknownTaggedFields: unknown(300) }],
      flag: false,
      fourth: { value: 3, unknownTaggedFields: unknown(70000) },
      names: [{ name: 'n', unknownTaggedFields: unknown(0) }],
      unknownTaggedFields: unknown(0, 2, 4, 6, 2 ** 32 - 1),
    };
    const bytes = codec.encode(value);
    assert.deepEqual(codec.decode(bytes), value);
    const all = codec.decode(bytes).unknownTaggedFields ?? [];
    bytes.fill(0);
    assert.equal(all[0]?.data.toString(), 'of 0', 'they are copies');
  });

  test('a newer version’s tagged fields are unknown to an older one and survive it', () => {
    const bytes = codecOf(Sample, 2).encode({ ...plain, flag: false });
    const older = Buffer.concat([bytes.subarray(0, 3), bytes.subarray(4)]);
    const decoded = codecOf(Sample, 1).decode(older);
    assert.deepEqual(decoded.unknownTaggedFields, [{ tag: 5, data: Buffer.from([0]) }]);
    assert.deepEqual(codecOf(Sample, 1).encode(decoded), older);
  });

  test('unknown tagged fields must ascend, be unknown, and have a flexible version', () => {
    const data = Buffer.alloc(0);
    const encode = (version: number, ...tags: number[]) =>
      codecOf(Sample, version).encode({ ...plain, unknownTaggedFields: tags.map((tag) => ({ tag, data })) });
    fails('tag', /tag 4 is not above 4/, () => encode(2, 4, 4));
    fails('tag', /tag 2/, () => encode(2, 4, 2));
    fails('tag', /tag 3/, () => encode(2, 3));
    assert.doesNotThrow(() => encode(1, 5));
    fails('tag', /tag 5/, () => encode(2, 5));
    fails('version', /tagged fields/, () => encode(0, 9));
    assert.doesNotThrow(() => encode(0));
  });

  test('a struct that holds nothing but an unknown field is not its default', () => {
    const second = { left: 0, unknownTaggedFields: [{ tag: 8, data: Buffer.from('x') }] };
    assert.deepEqual(codec.decode(codec.encode({ ...plain, second })).second, { right: null, ...second });
  });

  test('a known tag whose size does not fit its content is an error', () => {
    const bytes = (section: string) => Buffer.from(`00070101${section}`, 'hex');
    assert.equal(codec.decode(bytes('01050100')).flag, false);
    fails('tag', /tagged field 5/, () => codec.decode(bytes('0105020000')));
    fails('truncated', /flag/, () => codec.decode(bytes('010500')));
    fails('truncated', /second/, () => codec.decode(bytes('0101030000000000000000')));
    fails('length', /tagged fields/, () => codec.decode(bytes('0107ffffffff0f00')));
    fails('truncated', /tagged fields/, () => codec.decode(bytes('ffffffff0f')));
  });
});

suite('lengths and counts', () => {
  test('a count of more elements than the bytes could hold is refused before there is an array', () => {
    const codec = codecOf(FetchRequest, 4);
    const bytes = codec.encode(fetchRequest(1));
    const position = bytes.indexOf(Buffer.from('000000010006', 'hex'));
    for (const count of [10, 1000, 2 ** 31 - 1]) {
      bytes.writeInt32BE(count, position);
      fails('length', /FetchRequest v4 topics: length/, () => codec.decode(bytes));
    }
    bytes.writeInt32BE(-1, position);
    fails('null', /topics/, () => codec.decode(bytes));
  });

  test('a message is not made of more objects than the limit, however many would fit its bytes', () => {
    const codec = codecOf(DescribeGroupsRequest, 5);
    const request = (count: number): Buffer => {
      const bytes = Buffer.alloc(count + 10, 1);
      const position = writeUnsignedVarint(bytes, 0, count + 1);
      return bytes.fill(0, position + count);
    };
    assert.equal(codec.decode(request(50_000)).groups.length, 50_000);
    fails('length', /groups: more than 4000000 elements/, () => codec.decode(request(MAX_OBJECTS + 1)));
  });

  test('a varint of more than five bytes, or with more bits than 32 in its fifth, is no count', () => {
    const codec = codecOf(ApiVersionsResponse, 3);
    fails('varint', /apiKeys/, () => codec.decode(Buffer.from('0000ffffffffff0100000000', 'hex')));
    fails('length', /apiKeys/, () => codec.decode(Buffer.from('0000ffffffff0f0000000000', 'hex')));
  });
});
