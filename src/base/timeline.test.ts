import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareKeys, hashKey } from './timeline-hash.ts';
import { type KeyHash, PersistentMap } from './timeline-map.ts';
import { PersistentSet } from './timeline-set.ts';
import { Timeline } from './timeline.ts';

type Key = string | number;

/** Few hashes, so that keys meet on every level and in collisions. */
const CROWDED: KeyHash = (key) => (hashKey(key) % 5 === 0 ? 7 : (hashKey(key) & 3) << 30);

const keys = fc.oneof(
  fc.integer({ min: -3, max: 40 }),
  fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 0.5, 'a', 'b', '1', '2', '', 'topic-α'),
  fc.string({ maxLength: 2 }),
);
const changes = fc.array(
  fc.record({ key: keys, value: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }) }),
  { maxLength: 120 },
);

function sorted<V>(pairs: Iterable<[Key, V]>): [Key, V][] {
  return [...pairs].sort((a, b) => compareKeys(a[0], b[0]));
}

for (const [name, hash] of [
  ['the real hash', hashKey],
  ['a hash that collides', CROWDED],
] as const) {
  test(`a persistent map behaves as a Map and never changes an older version, with ${name}`, () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const model = new Map<Key, number>();
        let map = PersistentMap.empty<Key, number>(hash);
        const history: { map: PersistentMap<Key, number>; content: [Key, number][] }[] = [];
        for (const { key, value } of steps) {
          history.push({ map, content: sorted(model) });
          if (value === undefined) {
            model.delete(key);
            map = map.delete(key);
          } else {
            model.set(key, value);
            map = map.set(key, value);
          }
          assert.equal(map.get(key), value);
          assert.equal(map.has(key), value !== undefined);
        }
        history.push({ map, content: sorted(model) });
        for (const version of history) {
          assert.deepEqual(sorted(version.map), version.content);
          assert.equal(version.map.size, version.content.length);
        }
      }),
      { numRuns: 150 },
    );
  });

  test(`the order of a map depends on its keys only, not on its history, with ${name}`, () => {
    fc.assert(
      fc.property(changes, (steps) => {
        let map = PersistentMap.empty<Key, number>(hash);
        for (const { key, value } of steps) map = value === undefined ? map.delete(key) : map.set(key, value);
        let fresh = PersistentMap.empty<Key, number>(hash);
        for (const [key, value] of sorted(map)) fresh = fresh.set(key, value);
        assert.deepEqual([...map], [...fresh]);
        assert.deepEqual([...map.keys()], [...fresh.keys()]);
        assert.deepEqual(map, fresh, 'the same content has the same shape');
      }),
      { numRuns: 150 },
    );
  });

  test(`a mutable map behaves as a Map while frozen copies of it stay as they were, with ${name}`, () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), key: keys, value: fc.nat(3) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: keys }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('freeze' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), back: fc.nat(5) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const map = PersistentMap.empty<Key, number>(hash).toMutable();
        let model = new Map<Key, number>();
        const frozen: { map: PersistentMap<Key, number>; content: [Key, number][] }[] = [];
        for (const step of steps) {
          if (step.kind === 'set') {
            map.set(step.key, step.value);
            model.set(step.key, step.value);
          } else if (step.kind === 'delete') {
            assert.equal(map.delete(step.key), model.delete(step.key));
          } else if (step.kind === 'freeze') {
            frozen.push({ map: map.freeze(), content: sorted(model) });
          } else {
            const version = frozen.at(-1 - step.back);
            if (version === undefined) continue;
            map.restore(version.map);
            model = new Map(version.content);
          }
          assert.equal(map.size, model.size);
        }
        assert.deepEqual(sorted(map), sorted(model));
        for (const version of frozen) assert.deepEqual(sorted(version.map), version.content);
      }),
      { numRuns: 150 },
    );
  });
}

test('setting the value that is there, or deleting what is not, gives the same map back', () => {
  const map = PersistentMap.of<Key, number>([
    ['a', 1],
    [2, 2],
  ]);
  assert.equal(map.set('a', 1), map);
  assert.equal(map.delete('2'), map);
  assert.notEqual(map.set('a', 2), map);
  const mutable = map.toMutable();
  assert.equal(mutable.freeze(), map);
  mutable.delete('nothing');
  assert.equal(mutable.freeze(), map);
});

test('a change of a large map shares all but a few nodes with it', () => {
  let map = PersistentMap.empty<number, number>();
  for (let i = 0; i < 20_000; i++) map = map.set(i, i);
  const start = process.cpuUsage();
  for (let i = 0; i < 20_000; i++) map = map.set(i, i + 1);
  const usedMs = process.cpuUsage(start).user / 1000;
  assert.equal(map.get(19_999), 20_000);
  assert.ok(usedMs < 2_000, `20,000 changes of 20,000 keys took ${usedMs} ms: they copy the map`);
});

test('a persistent set behaves as a Set', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, fc.boolean()), { maxLength: 60 }), (steps) => {
      const model = new Set<Key>();
      let set = PersistentSet.empty<Key>();
      for (const [key, add] of steps) {
        set = add ? set.add(key) : set.delete(key);
        if (add) model.add(key);
        else model.delete(key);
        assert.equal(set.has(key), add);
        assert.equal(set.size, model.size);
      }
      assert.deepEqual([...set].sort(compareKeys), [...model].sort(compareKeys));
      assert.deepEqual([...set], [...PersistentSet.of(model)]);
    }),
  );
});

test('a timeline rolls all its parts back to any snapshot that is still held', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), key: keys, value: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: keys }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), skip: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), pick: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), pick: fc.nat(9) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const timeline = new Timeline();
      const map = timeline.createMap<Key, number>();
      const cell = timeline.createValue(0);
      let model = { map: new Map<Key, number>(), cell: 0 };
      let held: { position: number; model: typeof model }[] = [];
      let position = 0;
      for (const step of steps) {
        if (step.kind === 'set') {
          map.set(step.key, step.value);
          model.map.set(step.key, step.value);
          model.cell = cell.value += 1;
        } else if (step.kind === 'delete') {
          assert.equal(map.delete(step.key), model.map.delete(step.key));
        } else if (step.kind === 'snapshot') {
          position += 1 + step.skip;
          timeline.snapshot(position);
          held.push({ position, model: { map: new Map(model.map), cell: model.cell } });
        } else if (held.length > 0) {
          const at = step.pick % held.length;
          const target = held[at] as (typeof held)[number];
          if (step.kind === 'rollback') {
            timeline.rollbackTo(target.position);
            held = held.slice(0, at + 1);
            model = { map: new Map(target.model.map), cell: target.model.cell };
          } else {
            timeline.releaseBelow(target.position);
            held = held.slice(at);
          }
        }
        assert.equal(timeline.snapshotCount, held.length);
        assert.equal(timeline.newestPosition, held.at(-1)?.position ?? null);
        assert.deepEqual(sorted(map.view()), sorted(model.map));
        assert.equal(cell.value, model.cell);
        for (const { position } of held) assert.ok(timeline.hasSnapshot(position));
      }
    }),
    { numRuns: 300 },
  );
});

test('rolling back to a snapshot that was released or never taken is a bug', () => {
  const timeline = new Timeline();
  timeline.snapshot(1);
  timeline.snapshot(5);
  timeline.releaseBelow(5);
  assert.equal(timeline.hasSnapshot(1), false);
  assert.throws(() => timeline.snapshot(5), /not above/);
  assert.throws(() => timeline.rollbackTo(1), /no snapshot/);
});
