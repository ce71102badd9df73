import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../base/random.ts';
import { placeReplicas, type UsableBroker } from './placement.ts';

function brokers(...racks: (string | null)[]): UsableBroker[] {
  return racks.map((rack, id) => ({ id, rack, fenced: false }));
}

function placed(usable: UsableBroker[], count: number, factor: number, seed = 1): number[][] {
  const placements = placeReplicas(usable, count, factor, new Random(seed));
  assert.ok(!('errorCode' in placements), 'placement is refused');
  return placements;
}

test('every partition has its replicas on different brokers, an unfenced leader, and as many racks as there are', () => {
  const cluster = fc.array(fc.record({ rack: fc.constantFrom('a', 'b', 'c', null), fenced: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(cluster, fc.integer({ min: 1, max: 12 }), fc.nat(), (shape, factor, seed) => {
      const usable = shape.map((broker, id) => ({ id, ...broker }));
      const result = placeReplicas(usable, 20, factor, new Random(seed));
      const unfenced = usable.filter((broker) => !broker.fenced);
      if (unfenced.length === 0 || factor > usable.length) {
        assert.ok('errorCode' in result);
        assert.equal(result.errorCode, 38);
        return;
      }
      assert.ok(!('errorCode' in result));
      const rackOf = (id: number) => usable[id]?.rack;
      for (const replicas of result) {
        assert.equal(new Set(replicas).size, factor);
        assert.equal(usable[replicas[0] as number]?.fenced, false);
        const racks = new Set(usable.map(({ rack }) => rack)).size;
        assert.equal(new Set(replicas.map(rackOf)).size, Math.min(racks, factor));
      }
    }),
  );
});

test('leaders and replicas are spread evenly over equal brokers', () => {
  const placements = placed(brokers('a', 'a', 'b', 'b', 'c', 'c'), 600, 3);
  const leaders = new Map<number, number>();
  const replicas = new Map<number, number>();
  for (const placement of placements) {
    leaders.set(placement[0] as number, (leaders.get(placement[0] as number) ?? 0) + 1);
    for (const id of placement) replicas.set(id, (replicas.get(id) ?? 0) + 1);
  }
  assert.deepEqual([...leaders.values()], [100, 100, 100, 100, 100, 100]);
  assert.deepEqual([...replicas.values()], [300, 300, 300, 300, 300, 300]);
});

test('the same seed gives the same placement whatever the order of the brokers, another seed another', () => {
  const usable = brokers(null, null, null, null, null);
  assert.deepEqual(placed(usable, 10, 3), placed([...usable].reverse(), 10, 3));
  assert.notDeepEqual(placed(usable, 10, 3, 1), placed(usable, 10, 3, 2));
});

test('a fenced broker is used only where the rack has no other', () => {
  const usable = brokers('a', 'a', 'b').map((broker) => ({ ...broker, fenced: broker.id === 0 }));
  for (const replicas of placed(usable, 30, 2)) assert.ok(!replicas.includes(0));
  for (const replicas of placed(usable, 30, 3)) assert.notEqual(replicas[0], 0);
});
