import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../base/random.ts';
import { murmur2, partitionOfKey, StickyPartitioner } from './partitioner.ts';

/** Made by Kafka's own `Utils.murmur2`: text, hash, partition of ten. */
const KNOWN: readonly (readonly [string, number, number])[] = [
  ['', 275646681, 1],
  ['a', -1563381124, 4],
  ['ab', 316155434, 4],
  ['abc', 479470107, 7],
  ['abcd', -1323649548, 0],
  ['abcde', 461995741, 1],
  ['key-1', 193331640, 0],
  ['my-transactional-id', -1969721102, 6],
];

test('keys go where every Kafka client sends them', () => {
  for (const [text, hash, partition] of KNOWN) {
    assert.equal(murmur2(Buffer.from(text)), hash, text);
    assert.equal(partitionOfKey(Buffer.from(text), 10), partition, text);
  }
});

test('records without a key stay on a partition until its batch is closed, and then go to another', () => {
  const sticky = new StickyPartitioner(new Random(1));
  const first = sticky.partition('t', 4);
  for (let i = 0; i < 10; i++) assert.equal(sticky.partition('t', 4), first);
  sticky.onBatchClosed('t', (first + 1) % 4, 4);
  assert.equal(sticky.partition('t', 4), first, 'another partition is none of its business');
  const visited = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const partition = sticky.partition('t', 4);
    visited.add(partition);
    sticky.onBatchClosed('t', partition, 4);
    assert.notEqual(sticky.partition('t', 4), partition);
  }
  assert.equal(visited.size, 4);
  assert.equal(new StickyPartitioner(new Random(1)).partition('one', 1), 0);
});
