import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { VirtualDisk } from '../../sim/virtual/disk.ts';
import { Random } from '../base/random.ts';
import { HeldCompute } from '../records/held-compute.test.ts';
import {
  formatEpochCheckpoint,
  formatOffsetCheckpoint,
  parseEpochCheckpoint,
  parseOffsetCheckpoint,
} from './checkpoint-file.ts';
import { formatCleanShutdown, parseCleanShutdown } from './clean-shutdown.ts';
import {
  deletedDirectoryName,
  offsetFileName,
  offsetOfFileName,
  parsePartitionDirectory,
} from './file-names.ts';
import { formatProperties, parseProperties } from './java-properties.ts';
import { formatMetaProperties, parseMetaProperties } from './meta-properties.ts';
import { OffsetIndex } from './offset-index.ts';
import { formatPartitionMetadata, parsePartitionMetadata } from './partition-metadata.ts';
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts';
import { TimeIndex } from './time-index.ts';

interface FileVector {
  readonly case: string;
  readonly text?: string;
  readonly hex?: string;
  readonly properties?: Record<string, string>;
}

const vectors = new Map(
  readFileSync(new URL('../../testdata/log/files.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FileVector)
    .map((vector) => [vector.case, vector]),
);
const compute = new HeldCompute();

function textOf(name: string): string {
  return vectors.get(name)?.text ?? assert.fail(`no vector ${name}`);
}

function bytesOf(name: string): Buffer {
  return Buffer.from(vectors.get(name)?.hex ?? assert.fail(`no vector ${name}`), 'hex');
}

suite('files that Kafka wrote', () => {
  for (const name of [
    'recovery-point-offset-checkpoint',
    'log-start-offset-checkpoint',
    'replication-offset-checkpoint',
    'cleaner-offset-checkpoint',
  ]) {
    test(`${name} is read, and written to the same bytes`, () => {
      const entries = parseOffsetCheckpoint(textOf(name));
      assert.deepEqual(entries, [
        { topic: 'topic-a', partition: 0, offset: 12 },
        { topic: '__consumer_offsets', partition: 49, offset: 7 },
      ]);
      assert.equal(formatOffsetCheckpoint(entries), textOf(name));
    });
  }

  test('leader-epoch-checkpoint is read, and written to the same bytes', () => {
    const text = textOf('leader-epoch-checkpoint');
    const entries = parseEpochCheckpoint(text);
    assert.deepEqual(entries, [
      { epoch: 0, startOffset: 0 },
      { epoch: 3, startOffset: 120 },
    ]);
    assert.equal(formatEpochCheckpoint(entries), text);
  });

  test('partition.metadata is read, and written to the same bytes', () => {
    const text = textOf('partition.metadata');
    assert.equal(parsePartitionMetadata(text), 'AQIDBAUGBwgJCgsMDQ4PEA');
    assert.equal(formatPartitionMetadata('AQIDBAUGBwgJCgsMDQ4PEA'), text);
  });

  test('the clean shutdown marker is read, and written to the same bytes', () => {
    const text = textOf('clean-shutdown');
    assert.equal(parseCleanShutdown(text), 77);
    assert.equal(formatCleanShutdown(77), text);
  });

  test('meta.properties has the values Kafka put in, and ours reads back', () => {
    const properties = vectors.get('meta.properties')?.properties ?? {};
    const meta = parseMetaProperties(formatProperties(['a comment', ' another'], Object.entries(properties)));
    assert.deepEqual(meta, {
      version: 1,
      clusterId: properties['cluster.id'],
      nodeId: 1,
      directoryId: properties['directory.id'],
    });
    const ours = { clusterId: 'a:b = c', nodeId: 12, directoryId: 'AQIDBAUGBwgJCgsMDQ4PEA' };
    assert.deepEqual(parseMetaProperties(formatMetaProperties(ours)), { version: 1, ...ours });
  });

  test('a producer snapshot is read, and written to the same bytes', () => {
    const bytes = bytesOf('producer-snapshot');
    const entries = decodeProducerSnapshot(bytes, compute);
    assert.equal(entries.length, 1);
    const [entry] = entries;
    assert.equal(entry?.producerId, 4000);
    assert.equal(entry?.epoch, 2);
    assert.deepEqual(entry?.batches, [
      { lastSequence: 17, lastOffset: 41, offsetDelta: 2, timestampMs: 1700000000000 },
    ]);
    assert.equal(entry?.coordinatorEpoch, 9);
    assert.equal(entry?.currentTxnFirstOffset, 40);
    assert.deepEqual(encodeProducerSnapshot(entries, compute), bytes);
  });

  test('a producer snapshot with any byte wrong, missing or too many is refused', () => {
    const bytes = bytesOf('producer-snapshot');
    for (let i = 0; i < bytes.length; i++) {
      const wrong = Buffer.from(bytes);
      wrong[i] = (wrong[i] as number) ^ 0x40;
      assert.throws(() => decodeProducerSnapshot(wrong, compute), { name: 'CheckpointFormatError' });
      assert.throws(() => decodeProducerSnapshot(bytes.subarray(0, i), compute), {
        name: 'CheckpointFormatError',
      });
    }
    assert.throws(() => decodeProducerSnapshot(Buffer.concat([bytes, Buffer.alloc(1)]), compute));
  });

  test('an offset index is read, and written to the same bytes', () => {
    const disk = new VirtualDisk();
    const bytes = bytesOf('offset-index');
    disk.replaceFile('/1000.index', bytes, () => {});
    const index = OffsetIndex.open(disk, '/1000.index', 1000, bytes.length);
    assert.ok(index !== null);
    assert.deepEqual(
      [0, 1].map((i) => [index.offsetAt(i), index.positionAt(i)]),
      [
        [1005, 4096],
        [1100, 9000],
      ],
    );
    const ours = OffsetIndex.create(disk, '/ours', 1000);
    ours.append(1005, 4096);
    ours.append(1100, 9000);
    ours.table.persist((error) => assert.equal(error, null));
    assert.deepEqual(disk.readFile('/ours'), bytes);
  });

  test('a time index is read, and written to the same bytes', () => {
    const disk = new VirtualDisk();
    const bytes = bytesOf('time-index');
    disk.replaceFile('/1000.timeindex', bytes, () => {});
    const index = TimeIndex.open(disk, '/1000.timeindex', 1000, bytes.length);
    assert.ok(index !== null);
    assert.deepEqual(
      [0, 1].map((i) => [index.timestampAt(i), index.offsetAt(i)]),
      [
        [1700000000000, 1005],
        [1700000005000, 1100],
      ],
    );
    const ours = TimeIndex.create(disk, '/ours', 1000);
    ours.maybeAppend(index.highAt(0), index.lowAt(0), 1005);
    ours.maybeAppend(index.highAt(0), index.lowAt(0), 1050);
    ours.maybeAppend(index.highAt(1), index.lowAt(1), 1100);
    ours.table.persist((error) => assert.equal(error, null));
    assert.deepEqual(disk.readFile('/ours'), bytes);
  });
});

suite('checkpoint files', () => {
  test('what is not a checkpoint is refused', () => {
    for (const text of [
      '1\n0\n',
      '0\n',
      '0\n2\na 0 1\n',
      '0\n1\na 0\n',
      '0\n1\na 0 x\n',
      '0\n1\na 0 1\nb 0 1\n',
      'x',
    ]) {
      assert.throws(
        () => parseOffsetCheckpoint(text),
        { name: 'CheckpointFormatError' },
        JSON.stringify(text),
      );
    }
    assert.deepEqual(parseOffsetCheckpoint(''), []);
    assert.deepEqual(parseOffsetCheckpoint('0\n0\n'), []);
    for (const text of ['0\n2\n1 5\n1 7\n', '0\n2\n1 5\n2 5\n', '0\n2\n3 5\n2 7\n']) {
      assert.throws(() => parseEpochCheckpoint(text), { name: 'CheckpointFormatError' });
    }
  });
});

suite('Java properties', () => {
  test('comments, separators, continued lines and escapes are read as Java does', () => {
    const text = [
      '#Tue Nov 03 10:00:00 UTC 2026',
      '! another',
      '',
      'a=1',
      'b : 2',
      'c 3',
      '  d\t=\t4 ',
      'e\\=f=5\\:6',
      'long=one,\\',
      '   two',
      'uni=\\u00e9\\t|',
      'empty',
      'path=C:\\\\dir',
      'a=7',
    ].join('\r\n');
    assert.deepEqual(
      [...parseProperties(text)],
      [
        ['a', '7'],
        ['b', '2'],
        ['c', '3'],
        ['d', '4 '],
        ['e=f', '5:6'],
        ['long', 'one,two'],
        ['uni', 'é\t|'],
        ['empty', ''],
        ['path', 'C:\\dir'],
      ],
    );
  });

  test('whatever is written reads back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string({ unit: 'binary' }))), (pairs) => {
        const expected = new Map(pairs);
        assert.deepEqual(parseProperties(formatProperties([], expected)), expected);
      }),
    );
  });

  test('meta.properties without what must be there is refused, and version 0 is read', () => {
    for (const text of [
      '',
      'cluster.id=c',
      'version=2',
      'version=1\nnode.id=1',
      'version=1\ncluster.id=c',
      'version=1\ncluster.id=c\nnode.id=x',
      'version=1\ncluster.id=c\nnode.id=1\ndirectory.id=no',
    ]) {
      assert.throws(() => parseMetaProperties(text), { name: 'CheckpointFormatError' }, text);
    }
    assert.deepEqual(parseMetaProperties('broker.id=3\n'), {
      version: 0,
      clusterId: null,
      nodeId: 3,
      directoryId: null,
    });
  });
});

suite('names', () => {
  test('offsets have 20 digits', () => {
    assert.equal(offsetFileName(1234, '.log'), '00000000000000001234.log');
    assert.equal(offsetOfFileName('00000000000000001234.log', '.log'), 1234);
    for (const name of [
      '1234.log',
      '00000000000000001234.logx',
      '0000000000000000123x.log',
      '99999999999999999999.log',
    ]) {
      assert.equal(offsetOfFileName(name, '.log'), null);
    }
  });

  test('a partition directory is split at its last dash, and known by its suffix', () => {
    assert.deepEqual(parsePartitionDirectory('a-b-12'), { topic: 'a-b', partition: 12, state: 'live' });
    const id = 'ab'.repeat(16);
    for (const state of ['delete', 'stray', 'future'] as const) {
      assert.deepEqual(parsePartitionDirectory(`a.b-c-3.${id}-${state}`), {
        topic: 'a.b-c',
        partition: 3,
        state,
      });
    }
    for (const name of ['a', 'a-', '-1', 'a-x', 'remote-log-index-cache', 'a-99999999999']) {
      assert.equal(parsePartitionDirectory(name), null, name);
    }
  });

  test('the name of a deleted directory keeps within what a file system allows', () => {
    const name = deletedDirectoryName('t'.repeat(249), 4, new Random(1));
    assert.equal(name.length, 255);
    assert.match(name, /^t+-4\.[0-9a-f]{32}-delete$/);
    assert.match(deletedDirectoryName('abc', 4, new Random(1)), /^abc-4\.[0-9a-f]{32}-delete$/);
  });

  test('a marker that cannot be read still says that the stop was clean', () => {
    for (const text of ['', '{', 'null', '{"version":9,"brokerEpoch":3}', '{"version":0}']) {
      assert.equal(parseCleanShutdown(text), -1);
    }
  });
});
