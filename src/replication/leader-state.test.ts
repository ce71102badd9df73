import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Assignment, LeaderState } from './leader-state.ts';

function assignment(isr: number[], replicas = isr, leaderEpoch = 3): Assignment {
  return { leaderId: 1, leaderEpoch, partitionEpoch: 0, replicas, isr };
}

function leader(fields: {
  isr: number[];
  replicas?: number[];
  localEndOffset?: number;
  highWatermark?: number;
  minInsyncReplicas?: number;
}): LeaderState {
  return new LeaderState({
    localId: 1,
    assignment: assignment(fields.isr, fields.replicas),
    localEndOffset: fields.localEndOffset ?? 0,
    highWatermark: fields.highWatermark ?? 0,
    minInsyncReplicas: fields.minInsyncReplicas ?? 1,
  });
}

test('a leader that is in sync alone has its own end as the high watermark', () => {
  const state = leader({ isr: [1], localEndOffset: 7 });
  assert.equal(state.highWatermark, 7);
  assert.equal(state.localEndAdvanced(9), true);
  assert.equal(state.highWatermark, 9);
  assert.equal(state.localEndAdvanced(9), false);
});

test('the high watermark is the least end over the in-sync replicas', () => {
  const state = leader({ isr: [1, 2, 3], localEndOffset: 10, highWatermark: 4 });
  assert.equal(state.highWatermark, 4);
  assert.equal(state.followerFetched(2, 8), false);
  assert.equal(state.followerFetched(3, 6), true);
  assert.equal(state.highWatermark, 6);
  assert.equal(state.followerFetched(3, 5), false);
  assert.equal(state.followerFetched(9, 100), false);
  assert.equal(state.highWatermark, 6);
});

test('a replica that leaves the ISR no longer holds the high watermark back', () => {
  const state = leader({ isr: [1, 2], replicas: [1, 2], localEndOffset: 10 });
  assert.equal(state.highWatermark, 0);
  assert.equal(state.assigned(assignment([1], [1, 2])), true);
  assert.equal(state.highWatermark, 10);
});

test('the high watermark stands still while too few replicas are in sync', () => {
  const state = leader({ isr: [1], replicas: [1, 2], minInsyncReplicas: 2, localEndOffset: 5 });
  assert.equal(state.enoughInSync, false);
  assert.equal(state.localEndAdvanced(8), false);
  assert.equal(state.highWatermark, 0);
  assert.equal(state.minInsyncReplicasChanged(1), true);
  assert.equal(state.highWatermark, 8);
});

test('min.insync.replicas counts only as far as there are replicas', () => {
  const state = leader({ isr: [1], minInsyncReplicas: 3 });
  assert.equal(state.effectiveMinInsyncReplicas, 1);
  assert.equal(state.enoughInSync, true);
});

test('a high watermark from a checkpoint beyond the log is cut to the log', () => {
  assert.equal(leader({ isr: [1, 2], localEndOffset: 5, highWatermark: 9 }).highWatermark, 5);
});

test('whatever happens, the high watermark never goes back and never passes the leader', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('local' as const), by: fc.nat(5) }),
    fc.record({
      kind: fc.constant('fetch' as const),
      id: fc.integer({ min: 2, max: 4 }),
      offset: fc.nat(60),
    }),
    fc.record({ kind: fc.constant('isr' as const), isr: fc.subarray([2, 3, 4]) }),
    fc.record({ kind: fc.constant('min' as const), min: fc.integer({ min: 1, max: 4 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = leader({ isr: [1, 2, 3, 4], minInsyncReplicas: 2 });
      let end = 0;
      let last = 0;
      for (const event of steps) {
        if (event.kind === 'local') state.localEndAdvanced((end += event.by));
        // A follower cannot have more than the leader.
        else if (event.kind === 'fetch') state.followerFetched(event.id, Math.min(event.offset, end));
        else if (event.kind === 'isr') state.assigned(assignment([1, ...event.isr], [1, 2, 3, 4]));
        else state.minInsyncReplicasChanged(event.min);
        state.checkInvariants();
        assert.ok(state.highWatermark >= last);
        last = state.highWatermark;
      }
    }),
  );
});
