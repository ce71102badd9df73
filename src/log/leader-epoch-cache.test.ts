import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeaderEpochCache } from './leader-epoch-cache.ts';

const entries = (cache: LeaderEpochCache): number[][] => cache.entries.map((e) => [e.epoch, e.startOffset]);

function cacheOf(...pairs: [number, number][]): LeaderEpochCache {
  return new LeaderEpochCache(pairs.map(([epoch, startOffset]) => ({ epoch, startOffset })));
}

test('the end of an epoch is the start of the next, of the last one the log end', () => {
  const cache = cacheOf([2, 0], [4, 10], [7, 25]);
  assert.deepEqual(cache.endOffsetFor(2, 40), { epoch: 2, endOffset: 10 });
  assert.deepEqual(cache.endOffsetFor(3, 40), { epoch: 2, endOffset: 10 });
  assert.deepEqual(cache.endOffsetFor(6, 40), { epoch: 4, endOffset: 25 });
  assert.deepEqual(cache.endOffsetFor(7, 40), { epoch: 7, endOffset: 40 });
  assert.equal(cache.endOffsetFor(8, 40), null);
  assert.deepEqual(cache.endOffsetFor(1, 40), { epoch: 1, endOffset: 0 });
  assert.equal(cache.endOffsetFor(-1, 40), null);
  assert.equal(cacheOf().endOffsetFor(0, 40), null);
});

test('the epoch of an offset is that of the last entry at or below it', () => {
  const cache = cacheOf([2, 5], [4, 10]);
  assert.deepEqual(
    [4, 5, 9, 10, 99].map((offset) => cache.epochOf(offset)),
    [-1, 2, 2, 4, 4],
  );
});

test('an epoch that ended without a record leaves no trace', () => {
  const cache = cacheOf([2, 0]);
  cache.assign(3, 10);
  cache.assign(4, 10);
  assert.deepEqual(entries(cache), [
    [2, 0],
    [4, 10],
  ]);
  cache.assign(4, 12);
  cache.assign(-1, 50);
  assert.deepEqual(entries(cache), [
    [2, 0],
    [4, 10],
  ]);
});

test('cutting at either end keeps what the log still holds', () => {
  const cache = cacheOf([2, 0], [4, 10], [7, 25]);
  let changes = 0;
  cache.onChange(() => changes++);
  cache.truncateFromEnd(26);
  assert.equal(changes, 0);
  cache.truncateFromEnd(25);
  assert.deepEqual(entries(cache), [
    [2, 0],
    [4, 10],
  ]);
  cache.truncateFromStart(0);
  assert.equal(changes, 1);
  cache.truncateFromStart(12);
  assert.deepEqual(entries(cache), [[4, 12]]);
  cache.truncateFromStart(3);
  cache.truncateFromEnd(12);
  assert.deepEqual(entries(cache), []);
  assert.equal(changes, 3);
});

test('whatever is assigned in the order of a log, every offset has the epoch it was written with', () => {
  const step = fc.tuple(fc.nat(2), fc.nat(3), fc.nat(20));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new LeaderEpochCache();
      let log: number[] = [];
      let epoch = 0;
      for (const [epochs, records, cut] of steps) {
        if (cut === 0) {
          log = log.slice(0, Math.floor(log.length / 2));
          cache.truncateFromEnd(log.length);
        }
        epoch += epochs;
        if (epochs > 0 || log.length === 0) cache.assign(epoch, log.length);
        for (let i = 0; i < records; i++) {
          if (epoch > cache.latestEpoch) cache.assign(epoch, log.length);
          log.push(epoch);
        }
        cache.checkInvariants();
      }
      for (const [offset, written] of log.entries()) assert.equal(cache.epochOf(offset), written);
    }),
  );
});
