import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '../base/errors.ts';
import { createTopics } from '../controller/controller-harness.test.ts';
import type { RaftDriver } from './raft-driver.ts';
import { ANYONE, type Member, QuorumOfDrivers } from './raft-quorum-harness.test.ts';

test('three controllers elect one, and what it answers is in the images of all, also of a broker that only follows', () => {
  const quorum = new QuorumOfDrivers(1, 4, 3);
  for (let i = 0; i < 5; i++) quorum.makeTopic(`t${i}`);
  quorum.converge();
  assert.equal(quorum.members.get(4)?.image?.topics.size, 5);
});

test('the quorum outlives its leader, and the former leader drops what was not committed', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const quorum = new QuorumOfDrivers(seed, 3);
    quorum.makeTopic('kept');
    const former = quorum.leaderId();
    const { epoch } = quorum.leader as RaftDriver;
    quorum.cut.add(former);
    let errorCode: ErrorCode | null = null;
    const lost = createTopics([{ name: 'lost', numPartitions: 1, replicationFactor: 1 }]);
    quorum.leader?.forward(19, 7, lost, ANYONE, (code) => {
      errorCode = code;
    });
    assert.ok(quorum.clock.runUntilTrue(() => errorCode !== null, 60_000));
    assert.equal(errorCode, ErrorCode.NOT_CONTROLLER);
    assert.ok(
      quorum.clock.runUntilTrue(() => quorum.leader !== null && quorum.leader.epoch > epoch, 60_000),
      'the others elect a leader',
    );
    quorum.makeTopic('new');
    quorum.cut.clear();
    quorum.converge();
    const names = [...(quorum.members.get(former)?.image?.topics.all() ?? [])].map(({ name }) => name).sort();
    assert.deepEqual(names, ['kept', 'new']);
  }
});

test('a member that lost its power comes back to what the others have, from a snapshot too', () => {
  const quorum = new QuorumOfDrivers(3, 3, 3, {
    'metadata.log.max.record.bytes.between.snapshots': '3000',
    'internal.metadata.log.segment.bytes': '4000',
    'metadata.max.retention.bytes': '4000',
  });
  quorum.join();
  const gone = [1, 2, 3].find((id) => id !== quorum.leaderId()) ?? 1;
  quorum.crash(gone);
  for (let i = 0; i < 60; i++) quorum.makeTopic(`topic-${i}`);
  quorum.clock.runFor(120_000);
  quorum.start(gone);
  quorum.converge();
  assert.equal(quorum.members.get(gone)?.image?.topics.size, 60);
  const { disk, directory } = quorum.members.get(gone) as Member;
  const files = [...disk.list(`${directory?.path}/__cluster_metadata-0`)].map(({ name }) => name);
  assert.ok(
    !files.includes('00000000000000000000.log'),
    'the log goes on after the snapshot that was fetched',
  );
});
