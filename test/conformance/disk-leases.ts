import assert from 'node:assert/strict';
import test from 'node:test';
import type { DiskFile, FileRange } from '../../src/io/disk.ts';
import { append, type DiskFactory, type DiskWorld, withDisk } from './disk.ts';
import { pattern } from './world.ts';

/** Leases: what they keep readable, what revokes them. */
export function diskLeasesSuite(name: string, factory: DiskFactory): void {
  lifeSuite(name, factory);
  revocationSuite(name, factory);
  descriptorSuite(name, factory);
}

function lifeSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: a lease reads its own range and no more`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = await filled(world, 'f', 1000);
      const range = file.lease(100, 50);
      assert.deepEqual([range.position, range.lengthBytes, range.path], [100, 50, `${world.root}/f`]);
      assert.deepEqual(bytesOf(range), pattern(1000).subarray(100, 150));
      const target = Buffer.alloc(10, 0xee);
      range.read(target, 2, 40, 5);
      assert.deepEqual(target.subarray(2, 7), pattern(1000).subarray(140, 145));
      assert.equal(target[7], 0xee);
      assert.throws(() => range.read(target, 0, 45, 6), /past the end/);
      assert.throws(() => file.lease(990, 11), /inside the file/);
      range.release();
    }));

  test(`${name} disk: a lease ends with its last reference, and one release more is a bug`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = await filled(world, 'f', 100);
      const range = file.lease(0, 100);
      range.retain();
      range.release();
      assert.deepEqual(bytesOf(range), pattern(100));
      range.release();
      assert.throws(() => range.release(), { name: 'AssertionFailure' });
      assert.throws(() => range.retain(), { name: 'AssertionFailure' });
      assert.throws(() => bytesOf(range), { name: 'AssertionFailure' });
    }));

  test(`${name} disk: leases outlive unlinking, closing, renaming and the removal of the directory`, (context) =>
    withDisk(context, factory, { maxDescriptors: 2 }, async (world) => {
      const { disk, root } = world;
      disk.makeDirectory(`${root}/d`);
      const files = await Promise.all(['a', 'b', 'd/c', 'd/e'].map((path) => filled(world, path, 300)));
      const ranges = files.map((file, index) => file.lease(index, 200));
      files[0]?.unlink();
      files[1]?.close();
      files[2]?.renameTo(`${root}/d/moved`);
      disk.removeTree(`${root}/d`);
      disk.open(`${root}/a`, 'create').close();
      for (let i = 0; i < 10; i++) (await filled(world, `other-${i}`, 10)).close();
      ranges.forEach((range, index) => {
        assert.deepEqual(bytesOf(range), pattern(300).subarray(index, index + 200));
        assert.equal(range.revoked, false);
        range.release();
      });
    }));
}

function revocationSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: truncation revokes the leases that reach past the new size, before the bytes go`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = await filled(world, 'f', 1000);
      const [before, across, behind] = [file.lease(0, 400), file.lease(300, 200), file.lease(600, 100)];
      const revoked: string[] = [];
      before.onRevoked(() => revoked.push('before'));
      across.onRevoked(() => {
        revoked.push('across');
        assert.equal(file.sizeBytes, 1000, 'the callback comes before the file shrinks');
        assert.equal(file.read(450, Buffer.alloc(10), 0, 10), 10);
        assert.equal(across.revoked, true);
        across.release();
      });
      behind.onRevoked(() => assert.fail('a removed callback is not called'));
      behind.onRevoked(null);
      file.truncate(400);
      assert.deepEqual(revoked, ['across']);
      assert.deepEqual([before.revoked, behind.revoked], [false, true]);
      assert.deepEqual(bytesOf(before), pattern(400));
      assert.throws(() => bytesOf(behind), { name: 'DiskError' });
      behind.onRevoked(() => revoked.push('behind, at once'));
      assert.deepEqual(revoked, ['across', 'behind, at once']);
      await append(world, file, pattern(600, 5));
      assert.throws(
        () => bytesOf(behind),
        { name: 'DiskError' },
        'other bytes in the same place are not its bytes',
      );
      before.release();
      behind.release();
    }));

  test(`${name} disk: growing a file revokes nothing`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const file = await filled(world, 'f', 100);
      const range = file.lease(0, 100);
      file.truncate(100);
      file.truncate(5000);
      assert.equal(range.revoked, false);
      range.release();
    }));

  test(`${name} disk: a lease past its maximum age is revoked, younger ones are not`, (context) =>
    withDisk(context, factory, { maxLeaseAgeMs: 200 }, async (world) => {
      const file = await filled(world, 'f', 100);
      const old = file.lease(0, 10);
      const ended = file.lease(10, 10);
      let calls = 0;
      old.onRevoked(() => calls++);
      ended.release();
      await world.pass(120);
      const young = file.lease(20, 10);
      await world.until(() => old.revoked, 'the revocation');
      assert.equal(calls, 1);
      assert.equal(young.revoked, false);
      await world.until(() => young.revoked, 'the second revocation');
      for (const range of [old, young]) range.release();
    }));
}

function descriptorSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: a thousand files are served through 64 descriptors while slow readers hold leases`, (context) =>
    withDisk(context, factory, { maxDescriptors: 64 }, async (world) => {
      const files: DiskFile[] = [];
      for (let i = 0; i < 1000; i++) files.push(await filled(world, `segment-${i}`, 64, i));
      const held = files.slice(0, 40).map((file) => file.lease(0, 64));
      const target = Buffer.alloc(64);
      for (let round = 0; round < 2; round++) {
        files.forEach((file, i) => {
          const range = file.lease(8, 40);
          range.read(target, 0, 0, 40);
          assert.deepEqual(target.subarray(0, 40), pattern(64, i).subarray(8, 48));
          range.release();
        });
        let most = 0;
        for (const file of files) {
          assert.equal(file.read(60, target, 0, 10), 4);
          most = Math.max(most, world.openDescriptors() ?? 0);
        }
        assert.ok(most <= 64, `${most} descriptors`);
      }
      held.forEach((range, i) => {
        assert.deepEqual(bytesOf(range), pattern(64, i));
        range.release();
      });
    }));

  test(`${name} disk: more leased files than descriptors stay readable, and the number comes down after`, (context) =>
    withDisk(context, factory, { maxDescriptors: 8 }, async (world) => {
      const files: DiskFile[] = [];
      for (let i = 0; i < 50; i++) files.push(await filled(world, `segment-${i}`, 64, i));
      const held = files.map((file) => file.lease(0, 64));
      for (const file of files) file.unlink();
      held.forEach((range, i) => assert.deepEqual(bytesOf(range), pattern(64, i)));
      for (const range of held) range.release();
      const open = world.openDescriptors();
      if (open !== null) assert.ok(open <= 8, `${open} descriptors`);
    }));

  test(`${name} disk: appends go on through eviction of the file's descriptor`, (context) =>
    withDisk(context, factory, { maxDescriptors: 3 }, async (world) => {
      const files = await Promise.all(Array.from({ length: 12 }, (_, i) => filled(world, `f-${i}`, 10, i)));
      let ended = 0;
      for (let round = 1; round <= 5; round++) {
        for (const [i, file] of files.entries()) file.append([pattern(10, i + round)], () => ended++);
        for (const file of files) file.flush((error) => assert.equal(error, null));
      }
      await world.until(() => ended === 60, 'appends');
      for (const [i, file] of files.entries()) {
        const expected = Array.from({ length: 6 }, (_, round) => pattern(10, i + round));
        assert.deepEqual(world.disk.readFile(file.path), Buffer.concat(expected));
      }
    }));
}

async function filled(world: DiskWorld, name: string, lengthBytes: number, seed = 0): Promise<DiskFile> {
  const file = world.disk.open(`${world.root}/${name}`, 'create');
  assert.equal(await append(world, file, pattern(lengthBytes, seed)), null);
  return file;
}

function bytesOf(range: FileRange): Buffer {
  const bytes = Buffer.alloc(range.lengthBytes);
  range.read(bytes, 0, 0, bytes.length);
  return bytes;
}
