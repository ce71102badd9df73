import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { FileWriter, type WriteTarget } from './file-writer.ts';

/** A file in memory whose calls end when the test says so, as it says. */
class Target implements WriteTarget {
  readonly path = '/f';
  content = Buffer.alloc(0);
  /** Bytes at the last sync that succeeded. */
  synced = 0;
  cutFails = false;
  pending: (() => void)[] = [];
  /** How the next write ends: so many of its bytes in thousandths, or an error. */
  nextWrite: () => { share: number; code: string | null } = () => ({ share: 1000, code: null });
  nextSync: () => string | null = () => null;
  inline = false;

  writeParts(
    parts: readonly Buffer[],
    position: number,
    done: (code: string | null, writtenBytes: number) => void,
  ): void {
    assert.equal(position, this.content.length, 'writes follow each other');
    const { share, code } = this.nextWrite();
    this.#end(() => {
      const all = Buffer.concat(parts);
      const written = all.subarray(0, Math.max(1, Math.floor((all.length * share) / 1000)));
      this.content = Buffer.concat([this.content, written]);
      done(code, code === null ? written.length : 0);
    });
  }

  sync(done: (code: string | null) => void): void {
    const sizeBytes = this.content.length;
    const code = this.nextSync();
    this.#end(() => {
      if (code === null) this.synced = sizeBytes;
      done(code);
    });
  }

  cut(sizeBytes: number): string | null {
    if (this.cutFails) return 'EIO';
    this.content = this.content.subarray(0, sizeBytes);
    return null;
  }

  #end(call: () => void): void {
    if (this.inline) call();
    else this.pending.push(call);
  }
}

test('whatever fails or comes short, a file is the appends that succeeded, in order, and each callback came once', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('append' as const), lengthBytes: fc.nat(50) }),
    fc.record({ kind: fc.constant('flush' as const), lengthBytes: fc.constant(0) }),
    fc.record({ kind: fc.constant('end' as const), lengthBytes: fc.constant(0) }),
  );
  const ends = fc.array(fc.record({ share: fc.nat(1000), fails: fc.boolean() }), {
    minLength: 30,
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), ends, fc.boolean(), (steps, writes, inline) => {
      const target = new Target();
      target.inline = inline;
      let writeNumber = 0;
      target.nextWrite = () => {
        const { share, fails } = writes[writeNumber++ % 30] as (typeof writes)[0];
        return { share, code: fails && share % 3 === 0 ? 'EIO' : null };
      };
      const writer = new FileWriter(target, 0);
      const outcomes: (string | null | undefined)[] = [];
      const asked: Buffer[] = [];
      let flushes = 0;
      for (const { kind, lengthBytes } of steps) {
        if (kind === 'end') target.pending.shift()?.();
        if (kind === 'append') {
          const i = asked.length;
          asked.push(Buffer.alloc(lengthBytes, i + 1));
          outcomes.push(undefined);
          writer.append([asked[i] as Buffer], (error) => {
            assert.equal(outcomes[i], undefined, 'once');
            assert.ok(
              outcomes.slice(0, i).every((before) => before !== undefined),
              'in order',
            );
            outcomes[i] = error?.code ?? null;
          });
        }
        if (kind === 'flush') {
          const before = asked.length;
          flushes++;
          writer.flush((error) => {
            flushes--;
            assert.equal(error, null);
            assert.ok(outcomes.slice(0, before).every((outcome) => outcome !== undefined));
            const kept = asked.slice(0, before).filter((_, i) => outcomes[i] === null);
            assert.ok(target.synced >= Buffer.concat(kept).length, 'what it covers is durable');
          });
        }
      }
      while (target.pending.length > 0) target.pending.shift()?.();
      assert.deepEqual(target.content, Buffer.concat(asked.filter((_, i) => outcomes[i] === null)));
      assert.equal(writer.sizeBytes, target.content.length);
      assert.equal(flushes, 0);
      assert.equal(writer.busy, false);
    }),
  );
});

test('appends behind a failed one are cancelled, those asked for by its callback are tried', () => {
  const target = new Target();
  const writer = new FileWriter(target, 0);
  const codes: string[] = [];
  target.nextWrite = () => ({ share: 1000, code: 'ENOSPC' });
  const note = (name: string) => (error: { code: string } | null) =>
    void codes.push(`${name} ${error?.code}`);
  writer.append([Buffer.from('a')], (error) => {
    note('a')(error);
    target.nextWrite = () => ({ share: 1000, code: null });
    writer.append([Buffer.from('d')], note('d'));
  });
  writer.append([Buffer.from('b')], note('b'));
  writer.append([Buffer.from('c')], note('c'));
  while (target.pending.length > 0) target.pending.shift()?.();
  assert.deepEqual(codes, ['a ENOSPC', 'b ECANCELED', 'c ECANCELED', 'd undefined']);
  assert.equal(target.content.toString(), 'd');
});

test('flushes that come while one is under way share the next', () => {
  const target = new Target();
  const writer = new FileWriter(target, 0);
  let syncs = 0;
  target.nextSync = () => {
    syncs++;
    return null;
  };
  const ended: number[] = [];
  for (let i = 0; i < 5; i++) writer.flush(() => ended.push(i));
  assert.equal(target.pending.length, 1);
  while (target.pending.length > 0) target.pending.shift()?.();
  assert.deepEqual(ended, [0, 1, 2, 3, 4]);
  assert.equal(syncs, 2);
});
