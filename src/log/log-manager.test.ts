import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { BrokerError } from '../base/broker-error.ts';
import { nullLogger } from '../base/logger.ts';
import { METADATA_TOPIC_ID, ZERO_UUID } from '../base/uuid.ts';
import { DEFAULT_LOG_CONFIG } from './log-config.ts';
import { LogHarness, readAll, TOPIC_ID } from './log-harness.test.ts';
import type { LogDirectory } from './log-directory.ts';
import { openMetadataLog } from './metadata-log.ts';
import { openLogDirectories, type OpenDirectoriesOptions } from './open-directories.ts';
import type { PartitionLog } from './partition-log.ts';

const TWO = { paths: ['/a', '/b'] };

function environmentOf(harness: LogHarness) {
  const { clock, disk, compute, random } = harness;
  return { clock, disk, compute, random, logger: nullLogger };
}

function openDirectories(
  harness: LogHarness,
  options: Partial<OpenDirectoriesOptions> = {},
): { error: BrokerError | null; directories: LogDirectory[] } {
  let result: { error: BrokerError | null; directories: LogDirectory[] } | null = null;
  const defaults = { paths: harness.paths, nodeId: 1, clusterId: null, formatBlank: true };
  openLogDirectories(environmentOf(harness), { ...defaults, ...options }, (error, directories) => {
    result = { error, directories };
  });
  harness.clock.runUntilTrue(() => result !== null);
  assert.ok(result !== null);
  return result;
}

suite('log directories', () => {
  test('blank ones are formatted alike: one cluster id, a directory id each', () => {
    const harness = new LogHarness(TWO);
    const { directories } = openDirectories(harness);
    assert.equal(directories.length, 2);
    const [a, b] = directories as [LogDirectory, LogDirectory];
    assert.equal(a.clusterId, b.clusterId);
    assert.notEqual(a.directoryId, b.directoryId);
    for (const directory of directories) directory.release();
    harness.disk.crash('power');
    const again = openDirectories(harness).directories;
    assert.deepEqual(
      again.map((directory) => directory.directoryId),
      [a.directoryId, b.directoryId],
    );
  });

  test('a new directory beside a formatted one joins its cluster', () => {
    const harness = new LogHarness(TWO);
    const [a] = openDirectories(harness, { paths: ['/a'], clusterId: 'the-cluster' }).directories;
    a?.release();
    const both = openDirectories(harness).directories;
    assert.deepEqual(
      both.map((directory) => directory.clusterId),
      ['the-cluster', 'the-cluster'],
    );
  });

  test('a directory in use is refused, and the ones locked before it are let go', () => {
    const harness = new LogHarness(TWO);
    const [held] = openDirectories(harness, { paths: ['/b'] }).directories;
    const refused = openDirectories(harness);
    assert.equal(refused.error?.code, 'DIRECTORY_LOCKED');
    assert.match(refused.error?.message ?? '', /\/b is in use by another broker \(.*holds it/);
    held?.release();
    assert.equal(openDirectories(harness).error, null);
  });

  const meta = (text: string): LogHarness => {
    const harness = new LogHarness();
    harness.disk.makeDirectory('/data');
    harness.disk.replaceFile('/data/meta.properties', Buffer.from(text), () => {});
    return harness;
  };

  test('a directory of another node, of another cluster, not formatted or not readable is refused', () => {
    const codeOf = (harness: LogHarness, options: Partial<OpenDirectoriesOptions> = {}): string | undefined =>
      openDirectories(harness, options).error?.code;
    assert.equal(codeOf(meta('version=1\ncluster.id=c\nnode.id=2\n')), 'DIRECTORY_MISMATCH');
    assert.equal(
      codeOf(meta('version=1\ncluster.id=c\nnode.id=1\n'), { clusterId: 'd' }),
      'DIRECTORY_MISMATCH',
    );
    assert.equal(codeOf(meta('version=7\n')), 'DIRECTORY_UNREADABLE');
    assert.equal(codeOf(new LogHarness(), { formatBlank: false }), 'DIRECTORY_NOT_FORMATTED');
    const withLogs = new LogHarness();
    withLogs.disk.makeDirectory('/data/t-0');
    assert.equal(codeOf(withLogs), 'DIRECTORY_NOT_FORMATTED');
  });

  test('a directory without an id is given one', () => {
    const harness = meta('version=1\ncluster.id=c\nnode.id=1\n');
    const [directory] = openDirectories(harness).directories;
    directory?.release();
    assert.equal(openDirectories(harness).directories[0]?.directoryId, directory?.directoryId);
  });

  test('the clean marker is taken away for good when the directory is opened', () => {
    const harness = new LogHarness().open();
    harness.close(42);
    const first = openDirectories(harness).directories[0];
    assert.deepEqual([first?.wasClean, first?.markerBrokerEpoch], [true, 42]);
    harness.disk.crash('power');
    const second = openDirectories(harness).directories[0];
    assert.deepEqual([second?.wasClean, second?.markerBrokerEpoch], [false, -1]);
  });

  test('a disk that fails under the opening is an error that names the directory', () => {
    const harness = new LogHarness();
    harness.disk.faults.add({ operation: 'append' });
    const { error } = openDirectories(harness);
    assert.equal(error?.code, 'DIRECTORY_UNREADABLE');
    assert.match(error?.message ?? '', /\/data/);
  });
});

suite('the log manager', () => {
  test('a new log goes where the fewest are, or where it is told', () => {
    const harness = new LogHarness(TWO).open();
    const { manager } = harness;
    assert.ok(manager);
    for (let i = 0; i < 6; i++) manager.create('t', i, TOPIC_ID);
    const paths = [...manager.all()].map((log) => log.directory.path);
    assert.deepEqual(paths.toSorted(), ['/a', '/a', '/a', '/b', '/b', '/b']);
    const b = manager.directories[1];
    assert.ok(b);
    for (let i = 6; i < 9; i++) {
      assert.equal(manager.create('t', i, TOPIC_ID, { directoryId: b.directoryId }).directory, b);
    }
    assert.throws(() => manager.create('t', 9, TOPIC_ID, { directoryId: ZERO_UUID }), {
      code: 'LOG_DIRECTORY_OFFLINE',
    });
  });

  test('logs of several directories are there again after a restart', () => {
    const harness = new LogHarness(TWO).open();
    for (let i = 0; i < 10; i++) harness.produce(harness.log('t', i), harness.batch(i + 1));
    harness.close();
    harness.open();
    assert.equal(harness.manager?.count, 10);
    for (let i = 0; i < 10; i++) assert.equal(harness.log('t', i).logEndOffset, i + 1);
    assert.equal(harness.manager?.previousBrokerEpoch, 7);
  });

  test('the previous broker epoch is unknown if the markers do not agree', () => {
    const harness = new LogHarness(TWO).open();
    harness.close();
    harness.disk.remove('/b/.kafka_cleanshutdown');
    harness.open();
    assert.equal(harness.manager?.previousBrokerEpoch, -1);
    assert.deepEqual(
      harness.directories.map((directory) => directory.wasClean),
      [true, false],
    );
  });

  test('a deleted log is gone at once, its name free, and its files go later, also after a restart', () => {
    const harness = new LogHarness({ config: { fileDeleteDelayMs: 1000 } }).open();
    const log = harness.log();
    harness.produce(log, harness.batch(2));
    harness.manager?.delete('t', 0);
    assert.equal(harness.manager?.get('t', 0), null);
    assert.equal(harness.append(log, harness.batch(1)).errorCode, 56);
    const again = harness.log();
    assert.equal(again.logEndOffset, 0);
    const deleted = (): number =>
      harness.disk.list('/data').filter((entry) => /^t-0\.[0-9a-f]{32}-delete$/.test(entry.name)).length;
    assert.equal(deleted(), 1);
    harness.clock.runFor(1000);
    assert.equal(deleted(), 0);
    harness.manager?.delete('t', 0);
    harness.crash('process');
    harness.managerOptions = { fileDeleteDelayMs: 500 };
    harness.open();
    assert.equal(harness.manager?.count, 0);
    assert.equal(deleted(), 1);
    harness.clock.runFor(500);
    assert.equal(deleted(), 0);
  });

  test('appends in flight to a log that is deleted fail', () => {
    const harness = new LogHarness({
      disk: { latency: { appendMs: [1, 1], flushMs: [1, 1], flushDirectoryMs: [1, 1], inlineAppends: 0 } },
    }).open();
    const log = harness.log();
    let code = -1;
    log.append(harness.request(harness.batch(1)), (outcome) => {
      code = outcome.errorCode;
    });
    harness.manager?.delete('t', 0);
    harness.clock.runFor(10);
    assert.equal(code, 56);
  });

  test('a log that is deleted under its flush takes nobody offline', () => {
    const harness = new LogHarness({
      disk: { latency: { appendMs: [1, 1], flushMs: [1, 1], flushDirectoryMs: [1, 1], inlineAppends: 0 } },
    }).open();
    for (let waitMs = 0; waitMs < 8; waitMs++) {
      const log = harness.log();
      log.assignEpoch(3, 0);
      harness.append(log, harness.batch(1));
      log.flush(() => undefined);
      harness.clock.runFor(waitMs);
      harness.manager?.delete('t', 0);
      harness.clock.runFor(20);
      assert.equal(log.directory.offlineCause, null);
    }
  });

  test('two copies of one log are refused', () => {
    const harness = new LogHarness(TWO).open();
    harness.log();
    harness.close();
    harness.disk.makeDirectory('/b/t-0');
    assert.throws(() => harness.open(), { code: 'LOG_DUPLICATED' });
  });

  test('a directory that cannot be read goes offline, the others serve; without any the start fails', () => {
    const harness = new LogHarness(TWO).open();
    for (let i = 0; i < 4; i++) harness.produce(harness.log('t', i), harness.batch(1));
    const onB = [...(harness.manager?.all() ?? [])].filter((log) => log.directory.path === '/b').length;
    harness.close();
    const lift = harness.disk.faults.add({ operation: 'list', pathPrefix: '/b/t' });
    harness.open();
    assert.deepEqual(
      harness.directories.map((directory) => directory.offline),
      [false, true],
    );
    assert.equal(harness.manager?.count, 4 - onB);
    harness.manager?.create('u', 0, TOPIC_ID);
    harness.close();
    lift();
    // What was acknowledged in the directory that was offline is there again.
    harness.open();
    assert.equal(harness.manager?.count, 5);
    harness.close();
    harness.disk.faults.add({ operation: 'list', pathPrefix: '/a/t' });
    harness.disk.faults.add({ operation: 'list', pathPrefix: '/b/t' });
    assert.throws(() => harness.open(), { code: 'LOG_DIRECTORY_OFFLINE' });
  });

  test('a directory that vanishes is noticed within seconds', () => {
    const harness = new LogHarness(TWO);
    const gone: string[] = [];
    harness.managerOptions = { onDirectoryOffline: (directory) => gone.push(directory.path) };
    harness.open();
    for (let i = 0; i < 4; i++) harness.log('t', i);
    harness.disk.removeTree('/a');
    harness.clock.runFor(3000);
    assert.deepEqual(gone, ['/a']);
    assert.deepEqual(
      [...(harness.manager?.all() ?? [])].map((log) => log.offline === (log.directory.path === '/a')),
      [true, true, true, true],
    );
    harness.close();
    assert.equal(harness.disk.exists('/b/.kafka_cleanshutdown'), true);
  });

  test('no marker is left in a directory of which a log could not be closed well', () => {
    const harness = new LogHarness(TWO).open();
    for (let i = 0; i < 2; i++) harness.produce(harness.log('t', i), harness.batch(1));
    harness.disk.faults.add({ operation: 'flush', pathPrefix: '/a/t' });
    harness.close();
    assert.equal(harness.disk.exists('/a/.kafka_cleanshutdown'), false);
    assert.equal(harness.disk.exists('/b/.kafka_cleanshutdown'), true);
  });

  test('a log that waits for its checkpoints takes no records until they are written, and can be closed', () => {
    const harness = new LogHarness().open();
    harness.produce(harness.log(), harness.batch(3));
    harness.close();
    harness.open();
    harness.manager?.delete('t', 0);
    const lift = harness.disk.faults.add({
      operation: 'append',
      code: 'ENOSPC',
      pathPrefix: '/data/recovery',
    });
    const log = harness.log();
    const codes: number[] = [];
    log.append(harness.request(harness.batch(1)), (outcome) => codes.push(outcome.errorCode));
    harness.clock.runFor(5000);
    assert.equal(codes.length, 0);
    lift();
    harness.clock.runFor(1000);
    assert.deepEqual(codes, [0]);
    harness.flush(log);
    harness.close();
    harness.open();
    harness.manager?.delete('t', 0);
    harness.disk.faults.add({ operation: 'append', code: 'ENOSPC', pathPrefix: '/data/recovery' });
    harness.log().append(harness.request(harness.batch(1)), (outcome) => codes.push(outcome.errorCode));
    harness.close();
    assert.deepEqual(codes, [0, 56]);
  });

  test('nothing stays open after a close', () => {
    const harness = new LogHarness({ config: { segmentBytes: 300, fileDeleteDelayMs: 0 } }).open();
    for (let i = 0; i < 10; i++) harness.produce(harness.log(), harness.batch(harness.records(2, 80)));
    harness.log().advanceLogStart(9);
    harness.clock.runFor(10);
    harness.log('u');
    harness.manager?.delete('u', 0);
    harness.close();
    assert.equal(harness.disk.openFiles, 0);
  });

  test('a clean start with a thousand logs lets the loop have its turns', () => {
    const harness = new LogHarness().open();
    for (let i = 0; i < 300; i++) harness.log('t', i);
    harness.close();
    const before = harness.clock.eventsRun;
    harness.open();
    assert.equal(harness.manager?.count, 300);
    assert.ok(harness.clock.eventsRun - before > 1);
  });
});

suite('the metadata log', () => {
  function open(harness: LogHarness, directory: LogDirectory): PartitionLog {
    let log: PartitionLog | null = null;
    openMetadataLog(environmentOf(harness), directory, DEFAULT_LOG_CONFIG, (error, opened) => {
      assert.equal(error, null);
      log = opened;
    });
    harness.clock.runUntilTrue(() => log !== null);
    assert.ok(log !== null);
    return log;
  }

  test('is made, found again, and passed by by the manager', () => {
    const harness = new LogHarness().open();
    const directory = harness.directories[0] ?? assert.fail();
    const log = open(harness, directory);
    assert.equal(log.topicId, METADATA_TOPIC_ID);
    harness.produce(log, harness.batch(3), { origin: 'raft', leaderEpoch: 1 });
    harness.flush(log);
    harness.crash('power');
    harness.open();
    assert.equal(harness.manager?.count, 0);
    const again = open(harness, harness.directories[0] ?? assert.fail());
    assert.equal(readAll(again).length, 3);
    assert.equal(again.latestEpoch, 1);
  });
});
