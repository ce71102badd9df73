import assert from 'node:assert/strict';
import test from 'node:test';
import { FrameCopies } from './frame-copies.ts';

const source = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 251));

test('a copy holds the bytes of its frame, whatever their number', () => {
  const copies = new FrameCopies();
  for (const length of [0, 1, 2047, 2048, 4096, 4160, 4161, 20_000, 65_536, 65_537]) {
    assert.deepEqual(copies.copy(source, 7, 7 + length), source.subarray(7, 7 + length), `${length} bytes`);
  }
});

test('memory that was given back is used again, and memory that was not stays as it is', () => {
  const copies = new FrameCopies();
  const kept = copies.copy(source, 0, 10_000);
  const given = copies.copy(source, 0, 10_000);
  const memory = given.buffer;
  assert.equal(copies.give(given), true);
  const next = copies.copy(source, 500, 12_000);
  assert.equal(next.buffer, memory);
  assert.notEqual(next.buffer, kept.buffer);
  assert.deepEqual(kept, source.subarray(0, 10_000));
});

test('buffers that did not come from here are not taken', () => {
  const copies = new FrameCopies();
  for (const length of [100, 4096, 8192, 65_536])
    assert.equal(copies.give(Buffer.allocUnsafeSlow(length)), false);
  assert.equal(copies.give(copies.copy(source, 0, 100)), false, 'small ones share a slab');
});

test('what lies idle is bounded', () => {
  const copies = new FrameCopies();
  const many = Array.from({ length: 100 }, () => copies.copy(source, 0, 60_000));
  for (const copy of many) copies.give(copy);
  const memories = new Set(many.map((copy) => copy.buffer));
  const again = Array.from({ length: 100 }, () => copies.copy(source, 0, 60_000));
  const reused = again.filter((copy) => memories.has(copy.buffer)).length;
  assert.equal(reused, 7, 'half a megabyte of 64 KB buffers');
});
