import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchView } from '../records/batch.ts';
import { buildBatch } from '../records/builder.ts';
import { buildControlBatch } from '../records/control-records.ts';
import { HeldCompute } from '../records/held-compute.test.ts';
import { AbortedFilter } from './aborted-filter.ts';

const compute = new HeldCompute();

function data(producerId: number, baseOffset: number, transactional = true): BatchView {
  const records = [{ key: null, value: Buffer.from('v'), timestampMs: 1 }];
  const input = { records, producerId, producerEpoch: 0, baseSequence: 0, baseOffset, transactional };
  return new BatchView().at(buildBatch(input, compute), 0);
}

function marker(type: 'COMMIT' | 'ABORT', producerId: number, baseOffset: number): BatchView {
  const records = [{ type, coordinatorEpoch: 0 }];
  const input = { records, timestampMs: 1, producerId, producerEpoch: 0, baseOffset };
  return new BatchView().at(buildControlBatch(input, compute), 0);
}

test('an aborted transaction is left out from its first batch to its marker, and nothing else is', () => {
  const filter = new AbortedFilter([
    { producerId: 2, firstOffset: 3 },
    { producerId: 1, firstOffset: 1 },
  ]);
  const batches = [
    data(1, 0, false),
    data(1, 1),
    data(2, 2, false),
    data(2, 3),
    data(3, 4),
    marker('ABORT', 1, 5),
    data(1, 6),
    data(2, 7),
    marker('COMMIT', 1, 8),
    marker('ABORT', 2, 9),
    data(2, 10),
  ];
  const kept = batches.filter((view) => !filter.leavesOut(view));
  assert.deepEqual(
    kept.filter((view) => !view.isControl).map((view) => view.baseOffset),
    [0, 2, 4, 6, 10],
  );
});

test('a reader that begins inside an aborted transaction leaves the rest of it out', () => {
  const filter = new AbortedFilter([{ producerId: 1, firstOffset: 5 }]);
  assert.ok(filter.leavesOut(data(1, 8)));
  filter.leavesOut(marker('ABORT', 1, 9));
  assert.ok(!filter.leavesOut(data(1, 10)));
});
