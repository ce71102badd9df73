import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FrameBatch } from './frame-batch.ts';
import { FrameReceiver } from './frame-receiver.ts';

function framed(frame: Buffer): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(frame.length);
  return Buffer.concat([prefix, frame]);
}

test('any frames, cut anywhere, with any credits, come out equal and in order, and hold little more than has arrived', () => {
  const frame = fc.oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 30 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }).map((n) => new Uint8Array(n).fill(n)) },
  );
  const cuts = fc.array(fc.record({ lengthBytes: fc.integer({ min: 1, max: 90_000 }), credits: fc.nat(3) }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), cuts, (arrays, pieces) => {
      const frames = arrays.map((array) => Buffer.from(array));
      const stream = Buffer.concat(frames.map(framed));
      const receiver = new FrameReceiver(7, 200_000);
      const batch = new FrameBatch();
      batch.poisonAfterUse();
      const received: Buffer[] = [];
      const take = (): void => {
        receiver.take(batch);
        for (let i = 0; i < batch.count; i++) {
          assert.equal(batch.connection(i), 7);
          received.push(Buffer.from(batch.buffer(i).subarray(batch.start(i), batch.end(i))));
        }
        batch.clear();
      };
      let consumedBytes = 0;
      for (let at = 0, i = 0; at < stream.length; i++) {
        const { lengthBytes, credits } = pieces[i % pieces.length] as (typeof pieces)[0];
        receiver.push(Buffer.from(stream.subarray(at, at + lengthBytes)));
        at = Math.min(stream.length, at + lengthBytes);
        receiver.credits = credits;
        take();
        consumedBytes = received.reduce((sum, bytes) => sum + bytes.length + 4, 0);
        const waitingBytes = at - consumedBytes;
        assert.ok(
          receiver.heldBytes <= 2 * waitingBytes + 64 * 1024,
          `${receiver.heldBytes} of ${waitingBytes}`,
        );
      }
      receiver.credits = 100;
      take();
      assert.deepEqual(received, frames);
      assert.equal(receiver.heldBytes, 0);
      assert.equal(receiver.incomplete, false);
    }),
  );
});

test('a frame table is of use inside the call only, and a frame is retained once', () => {
  const batch = new FrameBatch();
  const shared = Buffer.from('abcdef');
  batch.add(1, shared, 0, 3, false);
  const kept = batch.retain(0);
  assert.throws(() => batch.retain(0), /once/);
  batch.clear();
  shared.fill(0);
  assert.equal(kept.toString(), 'abc');
  assert.throws(() => batch.buffer(0), /inside onFrames/);
});
