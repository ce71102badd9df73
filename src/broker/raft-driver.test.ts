import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { createTopics } from '../controller/controller-harness.test.ts';
import { type AnyControllerRequest, RandomRequests } from '../controller/random-requests.test.ts';
import type { Uuid } from '../base/uuid.ts';
import type { ControllerApis } from '../controller/controller-request.ts';
import type { MetadataImage } from '../metadata/metadata-image.ts';
import { MetadataDelta } from '../metadata/metadata-delta.ts';
import { PortableCompute } from '../io/node/portable/compute.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { BatchView } from '../records/batch.ts';
import { decodeControlRecord } from '../records/control-records.ts';
import { readRecords } from '../records/reader.ts';
import { RECLAIM_DELAY_MS } from './raft-driver.ts';
import { snapshotBatches } from './metadata-snapshot-format.ts';
import { contentOf, Machine } from './raft-driver-machine.test.ts';

const topic = (name: string) => createTopics([{ name, numPartitions: 1, replicationFactor: 1 }]);

/** Every batch of the metadata log, in one line each. */
function batches(machine: Machine): string[] {
  const bytes = machine.disk.readFile(`${machine.logPath}/00000000000000000000.log`);
  const lines: string[] = [];
  const view = new BatchView();
  for (let at = 0; at < bytes.length; at += view.sizeBytes) {
    view.at(bytes, at);
    const [first] = readRecords(bytes, at);
    const control = view.isControl
      ? ` ${JSON.stringify(decodeControlRecord(first?.key ?? null, first?.value ?? null))}`
      : '';
    lines.push(`${view.baseOffset}+${view.recordCount} e${view.partitionLeaderEpoch}${control}`);
  }
  return lines;
}

test('a first start writes Kafka’s own files: leader change, bootstrap records, quorum-state, bootstrap.checkpoint', () => {
  const machine = new Machine();
  const driver = machine.start();
  assert.equal(driver.state, 'leading');
  assert.deepEqual(batches(machine), [
    '0+1 e1 {"type":"LEADER_CHANGE","leaderId":1,"voterIds":[1],"grantingVoterIds":[1]}',
    '1+9 e1',
  ]);
  assert.equal(driver.committedEndOffset, 10);
  assert.equal(machine.follower.image.features.metadataVersion, 29);
  assert.deepEqual(machine.follower.image.provenance.offset, 9);
  assert.equal(
    machine.disk.readFile(`${machine.logPath}/quorum-state`).toString(),
    '{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}',
  );
  assert.ok(machine.disk.exists(`${machine.config.metadataLogDir}/bootstrap.checkpoint`));
});

test('every start begins a new epoch and gives late subscribers all there is', () => {
  const machine = new Machine();
  machine.start();
  machine.joinBroker();
  machine.call(19, topic('a'), 7);
  const before = contentOf(machine.follower.image);
  machine.stop();
  const driver = machine.start();
  assert.equal(driver.epoch, 2);
  assert.match(batches(machine).at(-1) as string, /^\d+\+1 e2 .*LEADER_CHANGE/);
  const { records } = before as { records: unknown };
  assert.deepEqual([...machine.follower.image.toRecords()], records);
  for (let i = 0; i < 10; i++) machine.call(19, topic(`b${i}`), 7);
  let late: unknown = null;
  driver.subscribe({
    onMetadata: (delta, image) => {
      assert.equal(late, null);
      assert.equal(delta.image.topics.size, 0);
      assert.equal(delta.topics?.changedTopics.size, 11);
      late = contentOf(image);
    },
  });
  assert.deepEqual(late, contentOf(machine.follower.image));
  machine.stop();
});

test('an answer comes after its records are flushed and published', () => {
  const machine = new Machine();
  const driver = machine.start();
  machine.joinBroker();
  const answer = machine.ask(19, topic('a'), 7);
  assert.equal(driver.image.topics.size, 1, 'the next request sees it');
  while (answer.errorCode === null) {
    assert.equal(machine.follower.image.topics.size, driver.committedEndOffset > 12 ? 1 : 0);
    assert.ok(machine.clock.step());
  }
  assert.equal(answer.errorCode, 0);
  assert.equal(machine.follower.image.topics.size, 1);
});

test('requests of one turn, and all that come while a flush runs, share a flush', () => {
  const machine = new Machine();
  const driver = machine.start();
  machine.joinBroker();
  let flushes = 0;
  const settled = () =>
    machine.clock.runUntilTrue(() => answers.every(({ errorCode }) => errorCode !== null));
  const before = machine.follower.calls;
  let committed = driver.committedEndOffset;
  const answers = Array.from({ length: 20 }, (_, i) => machine.ask(19, topic(`t${i}`), 7));
  machine.clock.runUntilTrue(() => {
    if (driver.committedEndOffset !== committed) flushes++;
    committed = driver.committedEndOffset;
    return answers.every(({ errorCode }) => errorCode !== null);
  });
  assert.ok(settled());
  assert.ok(flushes <= 2, `${flushes} flushes for 20 requests`);
  assert.equal(machine.follower.calls - before, 20);
  assert.equal(machine.follower.image.topics.size, 20);
});

test('a request that changes nothing waits for what it has seen', () => {
  const machine = new Machine();
  const driver = machine.start();
  machine.joinBroker();
  const created = machine.ask(19, topic('a'), 7);
  const again = machine.ask(19, topic('a'), 7);
  const order: string[] = [];
  machine.clock.runUntilTrue(() => {
    if (created.errorCode !== null && !order.includes('created')) order.push('created');
    if (again.errorCode !== null && !order.includes('again')) order.push('again');
    return order.length === 2;
  });
  assert.deepEqual(order, ['created', 'again']);
  assert.equal(again.response?.topics[0]?.errorCode, 36);
  assert.equal(driver.committedEndOffset, driver.image.provenance.offset + 1);
});

test('brokers are fenced when their session ends though nobody asks anything', () => {
  const machine = new Machine();
  machine.start();
  machine.joinBroker();
  machine.call(19, topic('a'), 7);
  assert.equal(machine.follower.image.cluster.isUnfenced(1), true);
  machine.clock.runFor(8900);
  assert.equal(machine.follower.image.cluster.isUnfenced(1), true);
  machine.clock.runFor(200);
  assert.equal(machine.follower.image.cluster.isUnfenced(1), false);
  assert.equal(machine.follower.image.topics.byName('a')?.partition(0)?.leader, -1);
});

test('a broker of this very process need not wait for the end of its former session', () => {
  const machine = new Machine();
  machine.start();
  machine.joinBroker(1);
  machine.crash('process');
  machine.start();
  assert.notEqual(machine.joinBroker(2), -1);
  assert.equal(machine.follower.image.cluster.isUnfenced(1), true);
});

test('a full disk makes the controller resign: state as committed, NOT_CONTROLLER, and a new epoch once there is room', () => {
  const machine = new Machine();
  const driver = machine.start();
  machine.joinBroker();
  machine.call(19, topic('a'), 7);
  const committed = contentOf(driver.image);
  machine.disk.capacityBytes = 0;
  const [first, second] = [machine.ask(19, topic('b'), 7), machine.ask(19, topic('c'), 7)];
  machine.clock.runUntilTrue(() => first.errorCode !== null && second.errorCode !== null);
  assert.deepEqual([first.errorCode, second.errorCode], [41, 41]);
  assert.equal(driver.state, 'resigned');
  assert.deepEqual(contentOf(driver.image), committed);
  driver.checkInvariants();
  assert.equal(machine.call(19, topic('d'), 7).errorCode, 41);
  machine.clock.runFor(5 * RECLAIM_DELAY_MS);
  assert.notEqual(driver.state, 'leading');
  machine.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
  assert.ok(machine.clock.runUntilTrue(() => driver.state === 'leading', 3 * RECLAIM_DELAY_MS));
  assert.ok(driver.epoch > 1);
  assert.equal(machine.call(19, topic('b'), 7).errorCode, 0);
  assert.deepEqual([...machine.follower.image.topics.all()].map(({ name }) => name).sort(), ['a', 'b']);
  assert.deepEqual(contentOf(machine.follower.image), contentOf(driver.image));
});

test('a failed flush takes the controller offline for good', () => {
  const machine = new Machine();
  const driver = machine.start();
  machine.joinBroker();
  const lift = machine.disk.faults.add({ operation: 'flush', pathPrefix: machine.logPath });
  assert.equal(machine.call(19, topic('a'), 7).errorCode, 56);
  lift();
  assert.equal(driver.state, 'offline');
  assert.equal(driver.image.topics.size, 0);
  machine.clock.runFor(60_000);
  assert.equal(driver.state, 'offline');
  assert.equal(machine.call(19, topic('b'), 7).errorCode, 56);
  machine.stop();
});

test('a start on a disk that takes nothing fails by name and can be tried again', () => {
  const machine = new Machine();
  machine.start();
  machine.stop();
  const lift = machine.disk.faults.add({ operation: 'append', code: 'ENOSPC' });
  assert.equal(machine.tryStart()?.code, 'DISK_FAILED');
  lift();
  assert.equal(machine.tryStart(), null);
});

test('a quorum that this version cannot be a part of is refused', () => {
  const machine = new Machine();
  machine.start();
  machine.stop();
  const path = `${machine.logPath}/quorum-state`;
  const write = (content: string) => {
    let done = false;
    machine.disk.replaceFile(path, Buffer.from(content), () => {
      done = true;
    });
    machine.clock.runUntilTrue(() => done);
  };
  write(
    '{"clusterId":"","leaderId":-1,"leaderEpoch":5,"votedId":2,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0}',
  );
  assert.match(machine.tryStart()?.message ?? '', /other voters \(2\)/);
  write('{}');
  assert.equal(machine.tryStart()?.code, 'METADATA_CORRUPT');
  write(
    '{"clusterId":"","leaderId":-1,"leaderEpoch":5,"votedId":2,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}',
  );
  assert.equal(machine.start().epoch, 6, 'an epoch above the one that was seen');
});

test('a node that was formatted as the one dynamic voter leads, and its files say so; another directory of it does not', () => {
  const machine = new Machine();
  machine.start();
  const { directoryId } = machine.directory as LogDirectory;
  machine.stop();
  const write = (name: string, content: Buffer) => {
    let done = false;
    machine.disk.replaceFile(`${machine.logPath}/${name}`, content, () => {
      done = true;
    });
    machine.clock.runUntilTrue(() => done);
  };
  const format = (voterDirectoryId: Uuid) => {
    const voter = {
      voterId: 1,
      voterDirectoryId,
      endpoints: [],
      minSupportedVersion: 0,
      maxSupportedVersion: 1,
    };
    const preamble = { lastContainedLogTimestampMs: 0, kraftVersion: 1, voters: [voter] };
    const batches = snapshotBatches(preamble, [], { epoch: 0, nowMs: 0 }, new PortableCompute());
    write('00000000000000000000-0000000000.checkpoint', Buffer.concat([...batches]));
  };
  format('AQIDBAUGBwgJCgsMDQ4PEA');
  assert.match(machine.tryStart()?.message ?? '', /another directory id/);
  format(directoryId);
  const driver = machine.start();
  const state = machine.disk.readFile(`${machine.logPath}/quorum-state`).toString();
  assert.equal(
    state,
    `{"leaderId":1,"leaderEpoch":${driver.epoch},"votedId":1,"votedDirectoryId":"${directoryId}","data_version":1}`,
  );
  machine.joinBroker();
  assert.equal(machine.call(19, topic('a'), 7).errorCode, 0);
  const { epoch } = driver;
  machine.stop();
  assert.equal(machine.start().epoch, epoch + 1);
  assert.equal(machine.follower.image.topics.size, 1);
});

test('a request made while the driver closes is answered', () => {
  const machine = new Machine();
  machine.start();
  machine.joinBroker();
  const answer = machine.ask(19, topic('a'), 7);
  machine.stop();
  assert.equal(answer.errorCode, 41);
});

/** Ids of topics that a request may remove. */
function doomedBy(request: AnyControllerRequest, image: MetadataImage): Uuid[] {
  if (request.apiKey !== 20) return [];
  return request.body.topics.map(({ name, topicId }) =>
    name === null ? topicId : (image.topics.byName(name)?.id ?? topicId),
  );
}

/** Ids of topics that an answer says were made. */
function madeBy({ request, answer }: Asked): Uuid[] {
  if (request.apiKey !== 19 || request.body.validateOnly || answer.errorCode !== 0) return [];
  const { topics } = answer.response as ControllerApis[19]['response'];
  return topics.filter(({ errorCode }) => errorCode === 0).map(({ topicId }) => topicId as Uuid);
}

interface Asked {
  readonly request: AnyControllerRequest;
  readonly answer: { readonly errorCode: number | null; readonly response: unknown };
}

test('what was answered survives every crash, and a restart finds a state that the log went through', () => {
  let restarts = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const random = new Random(seed);
    const machine = new Machine({ seed, configs: { 'internal.metadata.log.segment.bytes': '4000' } });
    const requests = new RandomRequests(random.fork());
    const doomed = new Set<Uuid>();
    const states = new Map<number, unknown>();
    for (let life = 0; life < 4; life++) {
      const driver = machine.start();
      const asked: Asked[] = [];
      for (let i = 0; i < 40; i++) {
        states.set(driver.image.provenance.offset, [...driver.image.toRecords()]);
        const request = requests.next(driver.image);
        for (const id of doomedBy(request, driver.image)) doomed.add(id);
        asked.push({
          request,
          answer: machine.ask(request.apiKey, request.body as never, request.apiVersion),
        });
        states.set(driver.image.provenance.offset, [...driver.image.toRecords()]);
        machine.clock.runFor(random.below(8));
        driver.checkInvariants();
      }
      const committedOffset = machine.follower.image.provenance.offset;
      machine.crash(random.chance(0.5) ? 'power' : 'process');

      machine.start();
      const { first, image } = machine.follower;
      assert.ok(
        first !== null && first.provenance.offset >= committedOffset,
        `seed ${seed}: nothing committed is lost`,
      );
      const expected = states.get(first.provenance.offset);
      assert.ok(expected !== undefined, `seed ${seed}: a batch is whole or not there`);
      assert.deepEqual([...first.toRecords()], expected, `seed ${seed}: offset ${first.provenance.offset}`);
      for (const id of asked.flatMap(madeBy)) {
        assert.ok(image.topics.byId(id) !== undefined || doomed.has(id), `seed ${seed}: topic ${id} is lost`);
      }
      const scratch = MetadataDelta.fromNothing(image).apply(image.provenance);
      assert.deepEqual(contentOf(scratch), contentOf(image), `seed ${seed}: image from scratch`);
      machine.driver?.checkInvariants();
      machine.stop();
      restarts++;
    }
  }
  assert.equal(restarts, 100);
});

test('through failing writes what was answered stays, and state, publications and log agree in the end', () => {
  let resigned = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed);
    const machine = new Machine({ seed });
    const requests = new RandomRequests(random.fork());
    const driver = machine.start();
    const doomed = new Set<Uuid>();
    const asked: Asked[] = [];
    for (let i = 0; i < 80; i++) {
      if (random.chance(0.05)) machine.disk.faults.add({ operation: 'append', code: 'ENOSPC', times: 1 });
      const request = requests.next(driver.image);
      for (const id of doomedBy(request, driver.image)) doomed.add(id);
      asked.push({ request, answer: machine.ask(request.apiKey, request.body as never, request.apiVersion) });
      machine.clock.runFor(random.below(8));
      if (driver.state === 'resigned' && random.chance(0.5)) machine.clock.runFor(RECLAIM_DELAY_MS);
      driver.checkInvariants();
    }
    machine.disk.faults.clear();
    machine.clock.runFor(2 * RECLAIM_DELAY_MS);
    assert.equal(driver.state, 'leading');
    resigned += driver.epoch - 1;
    assert.deepEqual(contentOf(machine.follower.image), contentOf(driver.image), `seed ${seed}`);
    for (const { answer } of asked)
      assert.ok(answer.errorCode === 0 || answer.errorCode === 41, `seed ${seed}`);
    for (const id of asked.flatMap(madeBy)) {
      assert.ok(
        driver.image.topics.byId(id) !== undefined || doomed.has(id),
        `seed ${seed}: topic ${id} is lost`,
      );
    }
    const before = [...driver.image.toRecords()];
    machine.stop();
    machine.start();
    assert.deepEqual([...(machine.follower.first?.toRecords() ?? [])], before, `seed ${seed}`);
  }
  assert.ok(resigned > 20, 'writes did fail');
});

test('replaying the bytes of the log gives the state that replaying at the append gave', () => {
  for (let seed = 1; seed <= 15; seed++) {
    const machine = new Machine({ seed, disk: { latency: 'inline' } });
    const requests = new RandomRequests(new Random(seed));
    const driver = machine.start();
    for (let i = 0; i < 120; i++) {
      const request = requests.next(driver.image);
      machine.call(request.apiKey, request.body as never, request.apiVersion);
    }
    const before = [...machine.follower.image.toRecords()];
    assert.deepEqual([...driver.image.toRecords()], before);
    machine.stop();
    machine.start();
    assert.deepEqual([...(machine.follower.first?.toRecords() ?? [])], before, `seed ${seed}`);
  }
});
