import assert from 'node:assert/strict';
import test from 'node:test';
import { ColdRead, type DiskError } from '../../src/io/disk.ts';
import { append, contentOf, type DiskFactory, withDisk } from './disk.ts';
import { called, pattern } from './world.ts';

/** Files: open, append, read, write, truncate, flush, failures. */
export function diskFilesSuite(name: string, factory: DiskFactory): void {
  openSuite(name, factory);
  coldSuite(name, factory);
  appendSuite(name, factory);
  flushSuite(name, factory);
  failureSuite(name, factory);
}

function coldSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: what was just written is read without waiting`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      await append(world, file, pattern(100_000));
      const target = Buffer.alloc(50_000);
      assert.equal(
        world.disk.withoutWaiting(() => file.read(60_000, target, 0, 50_000)),
        40_000,
      );
      assert.deepEqual(target.subarray(0, 40_000), pattern(100_000).subarray(60_000));
      assert.equal(
        world.disk.withoutWaiting(() => file.read(100_000, target, 0, 10)),
        0,
        'the end is no reason to wait',
      );
    }));

  test(`${name} disk: what is not in memory is told, brought there and read`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const path = `${world.root}/f`;
      const file = world.disk.open(path, 'create');
      await append(world, file, pattern(500_000));
      assert.equal(await called<DiskError | null>(world, (done) => file.flush(done)), null);
      const target = Buffer.alloc(8000);
      const read = (): number => world.disk.withoutWaiting(() => file.read(300_000, target, 0, 8000));
      if (!world.evict(path)) {
        assert.equal(read(), 8000, 'an implementation that cannot tell reads');
        return;
      }
      let cold: ColdRead | null = null;
      try {
        read();
      } catch (error) {
        assert.ok(error instanceof ColdRead, String(error));
        cold = error;
      }
      assert.ok(cold !== null, 'the read would have waited');
      await called<null>(world, (done) => cold.warm(() => done(null)));
      assert.equal(read(), 8000);
      assert.deepEqual(target, pattern(500_000).subarray(300_000, 308_000));
      world.evict(path);
      assert.equal(file.read(0, target, 0, 8000), 8000, 'outside of it reads wait');
    }));
}

function openSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: each open mode creates, or insists, as it says`, (context) =>
    withDisk(context, factory, {}, ({ disk, root }) => {
      const path = `${root}/f`;
      assert.throws(() => disk.open(path, 'read'), { name: 'DiskError', code: 'ENOENT', path });
      assert.throws(() => disk.open(path, 'read-write'), { code: 'ENOENT' });
      disk.open(path, 'create').close();
      assert.throws(() => disk.open(path, 'create'), { code: 'EEXIST' });
      disk.open(path, 'open-or-create').close();
      disk.open(`${root}/g`, 'open-or-create').close();
      disk.open(path, 'read-write').close();
      assert.throws(() => disk.open(`${root}/missing/f`, 'create'), { code: 'ENOENT' });
      const reader = disk.open(path, 'read');
      assert.throws(() => reader.append([Buffer.from('x')], () => {}), /reading only/);
    }));

  test(`${name} disk: a file opened again has its bytes and its size`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const { disk, root } = world;
      const first = disk.open(`${root}/f`, 'create');
      assert.equal(first.sizeBytes, 0);
      assert.equal(await append(world, first, pattern(1000)), null);
      first.close();
      assert.throws(() => first.read(0, Buffer.alloc(1), 0, 1), /closed/);
      const second = disk.open(`${root}/f`, 'read-write');
      assert.equal(second.sizeBytes, 1000);
      assert.equal(await append(world, second, pattern(10, 1)), null);
      assert.deepEqual(contentOf(second), Buffer.concat([pattern(1000), pattern(10, 1)]));
    }));

  test(`${name} disk: reads are positional, stop at the end, and keep to their target`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      await append(world, file, pattern(100));
      const target = Buffer.alloc(50, 0xee);
      assert.equal(file.read(90, target, 5, 40), 10);
      assert.deepEqual(target.subarray(5, 15), pattern(100).subarray(90));
      assert.ok(target.subarray(0, 5).every((byte) => byte === 0xee));
      assert.ok(target.subarray(15).every((byte) => byte === 0xee));
      assert.equal(file.read(100, target, 0, 10), 0);
      assert.equal(file.read(1000, target, 0, 10), 0);
    }));

  test(`${name} disk: bytes inside a file are overwritten in place, and only there`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      await append(world, file, Buffer.alloc(10));
      file.write(4, Buffer.from('abc'));
      assert.equal(contentOf(file).toString('latin1'), '\0\0\0\0abc\0\0\0');
      assert.equal(file.sizeBytes, 10);
      assert.throws(() => file.write(8, Buffer.from('abc')), /inside the file/);
    }));

  test(`${name} disk: truncating cuts, or grows with zeros, and appends go on from there`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      await append(world, file, Buffer.from('abcdef'));
      file.truncate(3);
      assert.equal(file.sizeBytes, 3);
      file.truncate(5);
      await append(world, file, Buffer.from('xy'));
      assert.equal(contentOf(file).toString('latin1'), 'abc\0\0xy');
      assert.equal(world.disk.readFile(`${world.root}/f`).toString('latin1'), 'abc\0\0xy');
    }));
}

function appendSuite(name: string, factory: DiskFactory): void {
  for (const shortWrites of [false, true]) {
    const how = shortWrites ? ', though every write is short' : '';
    test(`${name} disk: appends complete in the order they were asked for${how}`, (context) =>
      withDisk(context, factory, { shortWrites }, async (world) => {
        const file = world.disk.open(`${world.root}/f`, 'create');
        const order: number[] = [];
        const expected: Buffer[] = [];
        let sizeBytes = 0;
        for (let i = 0; i < 40; i++) {
          const parts = [pattern(1 + ((i * 977) % 5000), i), Buffer.alloc(0), pattern(i, i + 1)];
          expected.push(...parts);
          sizeBytes += (parts[0]?.length ?? 0) + i;
          const endBytes = sizeBytes;
          file.append(parts, (error) => {
            assert.equal(error, null);
            order.push(i);
            assert.equal(file.sizeBytes, endBytes, 'the size counts completed appends only');
          });
        }
        await world.until(() => order.length === 40, 'appends');
        assert.deepEqual(order, [...order.keys()]);
        assert.deepEqual(contentOf(file), Buffer.concat(expected));
      }));
  }
}

function flushSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: an append of nothing, and one of very many parts, are appends`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      assert.equal(await append(world, file), null);
      assert.equal(await append(world, file, Buffer.alloc(0)), null);
      assert.equal(file.sizeBytes, 0);
      const parts = Array.from({ length: 3000 }, (_, i) => pattern(3, i));
      assert.equal(await append(world, file, ...parts), null);
      assert.deepEqual(contentOf(file), Buffer.concat(parts));
    }));

  test(`${name} disk: an append asked for inside the callback of another follows it`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      let ended = 0;
      const next = (i: number): void =>
        file.append([Buffer.from(String(i))], () => {
          ended++;
          if (i < 9) next(i + 1);
        });
      next(0);
      await world.until(() => ended === 10, 'appends');
      assert.equal(contentOf(file).toString(), '0123456789');
    }));

  test(`${name} disk: a flush covers the appends before it and ends after them`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      const order: string[] = [];
      for (let i = 0; i < 5; i++) {
        file.append([pattern(100)], () => order.push(`append ${i}`));
        file.flush((error) => {
          assert.equal(error, null);
          order.push(`flush ${i}`);
        });
      }
      await world.until(() => order.length === 10, 'appends and flushes');
      for (let i = 0; i < 5; i++) assert.ok(order.indexOf(`append ${i}`) < order.indexOf(`flush ${i}`));
      assert.deepEqual(
        order.filter((event) => event.startsWith('flush')),
        [0, 1, 2, 3, 4].map((i) => `flush ${i}`),
      );
    }));

  test(`${name} disk: closing the disk waits for what was asked for`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const { disk, root } = world;
      const file = disk.open(`${root}/f`, 'create');
      const ended: string[] = [];
      file.append([pattern(100_000)], (error) => ended.push(`append ${error}`));
      file.flush((error) => ended.push(`flush ${error}`));
      disk.replaceFile(`${root}/small`, Buffer.from('x'), (error) => ended.push(`replace ${error}`));
      await called<null>(world, (done) => disk.close(() => done(null)));
      assert.deepEqual(ended.sort(), ['append null', 'flush null', 'replace null']);
    }));
}

function failureSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: a failed append is cut back, those behind it are cancelled, and the next one works`, (context) =>
    withDisk(context, factory, { shortWrites: true }, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      await append(world, file, pattern(100));
      const codes: (string | undefined)[] = [];
      world.fail('append', 'EIO', 1);
      file.append([pattern(500)], (error) => codes.push(error?.code));
      await world.until(() => codes.length === 1, 'the failed append');
      assert.deepEqual(codes, ['EIO']);
      assert.equal(file.sizeBytes, 100);
      assert.equal(await append(world, file, pattern(7, 3)), null);
      assert.deepEqual(contentOf(file), Buffer.concat([pattern(100), pattern(7, 3)]));
      assert.equal(world.disk.readFile(`${world.root}/f`).length, 107);
    }));

  test(`${name} disk: what cannot be cut back is broken for good`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      await append(world, file, pattern(100));
      world.fail('append', 'EIO', 1);
      world.fail('cut', 'EIO', 1);
      assert.equal(await append(world, file, pattern(10)), 'ECUT');
      assert.equal(await append(world, file, pattern(10)), 'ECUT');
      assert.equal(file.sizeBytes, 100);
    }));

  test(`${name} disk: after a failed flush no later flush of the file succeeds`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = world.disk.open(`${world.root}/f`, 'create');
      await append(world, file, pattern(100));
      world.fail('flush', 'EIO', 1);
      for (let i = 0; i < 2; i++) {
        const error = await called<Error | null>(world, (done) => file.flush(done));
        assert.match(String(error), /EIO/);
      }
    }));

  test(`${name} disk: a full disk refuses an append whole, stays readable, and recovers when there is room`, (context) =>
    withDisk(context, factory, { capacityBytes: 256 * 1024 }, async (world) => {
      const { disk, root } = world;
      const ballast = disk.open(`${root}/ballast`, 'create');
      assert.equal(await append(world, ballast, pattern(150_000)), null);
      const file = disk.open(`${root}/f`, 'create');
      assert.equal(await append(world, file, pattern(50_000)), null);
      assert.ok(disk.freeBytes(root) < 150_000);
      assert.ok(disk.totalBytes(root) >= 200_000 + disk.freeBytes(root));
      assert.equal(await append(world, file, pattern(150_000)), 'ENOSPC');
      assert.equal(file.sizeBytes, 50_000);
      assert.deepEqual(contentOf(file), pattern(50_000));
      assert.equal(disk.list(root).find((entry) => entry.name === 'f')?.sizeBytes, 50_000);
      ballast.unlink();
      assert.equal(await append(world, file, pattern(150_000, 1)), null);
      assert.deepEqual(contentOf(file), Buffer.concat([pattern(50_000), pattern(150_000, 1)]));
    }));
}
