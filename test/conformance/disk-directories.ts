import assert from 'node:assert/strict';
import test from 'node:test';
import type { DiskError } from '../../src/io/disk.ts';
import { append, contentOf, type DiskFactory, withDisk } from './disk.ts';
import { called, pattern } from './world.ts';

/** Directories: list, rename, remove, replace, lock. */
export function diskDirectoriesSuite(name: string, factory: DiskFactory): void {
  namesSuite(name, factory);
  removeSuite(name, factory);
  replaceSuite(name, factory);
  lockSuite(name, factory);
}

function namesSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: a listing has kinds and sizes, in byte order of the names`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const { disk, root } = world;
      disk.makeDirectory(`${root}/b/c`);
      disk.makeDirectory(`${root}/b/c`);
      const names = ['a', 'B', 'z', 'é', '\u{ff5e}', '\u{1f600}', 'a-0'];
      for (const name of names) disk.open(`${root}/${name}`, 'create').close();
      await append(world, disk.open(`${root}/a`, 'read-write'), pattern(17));
      const entries = disk.list(root);
      assert.deepEqual(
        entries.map((entry) => entry.name),
        [...names, 'b'].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
      );
      const byName = new Map(entries.map((entry) => [entry.name, entry]));
      assert.equal(byName.get('a')?.sizeBytes, 17);
      assert.equal(byName.get('a')?.kind, 'file');
      assert.equal(byName.get('b')?.kind, 'directory');
      assert.ok(Math.abs((byName.get('a')?.modifiedMs ?? 0) - world.clock.wallMs()) < 60_000);
      assert.throws(() => disk.list(`${root}/none`), { name: 'DiskError', code: 'ENOENT' });
      assert.throws(() => disk.makeDirectory(`${root}/a/x`), { code: 'ENOTDIR' });
    }));

  test(`${name} disk: open files follow the rename of their directory and their own`, (context) =>
    withDisk(context, factory, { maxDescriptors: 1 }, async (world) => {
      const { disk, root } = world;
      disk.makeDirectory(`${root}/t-0`);
      const file = disk.open(`${root}/t-0/f`, 'create');
      const other = disk.open(`${root}/other`, 'create');
      await append(world, file, pattern(10));
      disk.rename(`${root}/t-0`, `${root}/t-0.deleted`);
      assert.equal(file.path, `${root}/t-0.deleted/f`);
      await append(world, other, pattern(1));
      await append(world, file, pattern(10, 1));
      file.renameTo(`${root}/t-0.deleted/g`);
      assert.equal(file.path, `${root}/t-0.deleted/g`);
      await append(world, other, pattern(1));
      await append(world, file, pattern(10, 2));
      assert.deepEqual(contentOf(file), Buffer.concat([pattern(10), pattern(10, 1), pattern(10, 2)]));
      assert.equal(other.path, `${root}/other`);
      assert.throws(() => disk.rename(`${root}/none`, `${root}/x`), { code: 'ENOENT' });
    }));
}

function removeSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: a rename over a file replaces it`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const { disk, root } = world;
      for (const name of ['old', 'new']) {
        const file = disk.open(`${root}/${name}`, 'create');
        await append(world, file, Buffer.from(name));
        file.close();
      }
      disk.rename(`${root}/new`, `${root}/old`);
      assert.equal(disk.readFile(`${root}/old`).toString(), 'new');
      assert.equal(disk.exists(`${root}/new`), false);
    }));

  test(`${name} disk: what is removed is gone, alone or with all below it`, (context) =>
    withDisk(context, factory, {}, ({ disk, root }) => {
      disk.makeDirectory(`${root}/d/e`);
      for (const path of ['f', 'd/f', 'd/e/f']) disk.open(`${root}/${path}`, 'create').close();
      disk.remove(`${root}/f`);
      assert.equal(disk.exists(`${root}/f`), false);
      assert.throws(() => disk.remove(`${root}/f`), { code: 'ENOENT' });
      disk.removeTree(`${root}/d`);
      disk.removeTree(`${root}/d`);
      assert.deepEqual(disk.list(root), []);
      const file = disk.open(`${root}/g`, 'create');
      file.unlink();
      assert.equal(disk.exists(`${root}/g`), false);
      assert.throws(() => file.flush(() => {}), /closed/);
    }));
}

function replaceSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: a replaced file has the new content, also when replacements overlap`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const { disk, root } = world;
      const ended: string[] = [];
      for (const content of ['first, and long', 'second', 'third']) {
        disk.replaceFile(`${root}/small`, Buffer.from(content), (error) => {
          assert.equal(error, null);
          ended.push(content);
        });
      }
      await world.until(() => ended.length === 3, 'replacements');
      assert.deepEqual(ended, ['first, and long', 'second', 'third']);
      assert.equal(disk.readFile(`${root}/small`).toString(), 'third');
      assert.deepEqual(
        disk.list(root).map((entry) => entry.name),
        ['small'],
      );
    }));

  test(`${name} disk: a replacement that fails says so and leaves the old file`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const { disk, root } = world;
      const replace = (content: string) =>
        called<DiskError | null>(world, (done) => disk.replaceFile(`${root}/s`, Buffer.from(content), done));
      assert.equal(await replace('old'), null);
      world.fail('flush', 'EIO', 1);
      assert.equal((await replace('new'))?.code, 'EIO');
      assert.equal(disk.readFile(`${root}/s`).toString(), 'old');
      assert.equal(await replace('newer'), null);
      assert.equal(disk.readFile(`${root}/s`).toString(), 'newer');
      const missing = await called<DiskError | null>(world, (done) =>
        disk.replaceFile(`${root}/none/s`, Buffer.from('x'), done),
      );
      assert.equal(missing?.code, 'ENOENT');
    }));

  test(`${name} disk: a directory is flushed, one that is not there is an error`, (context) =>
    withDisk(context, factory, {}, async (world) => {
      const flush = (path: string) =>
        called<DiskError | null>(world, (done) => world.disk.flushDirectory(path, done));
      assert.equal(await flush(world.root), null);
      assert.equal((await flush(`${world.root}/none`))?.code, 'ENOENT');
    }));
}

function lockSuite(name: string, factory: DiskFactory): void {
  test(`${name} disk: a second lock in this process is refused until the first is released`, (context) =>
    withDisk(context, factory, {}, ({ disk, otherDisk, root }) => {
      const lock = disk.lock(`${root}/.lock`);
      assert.equal(disk.readFile(`${root}/.lock`).length, 0);
      for (const second of [disk, otherDisk]) {
        assert.throws(() => second.lock(`${root}/.lock`), { name: 'DiskError', code: 'ELOCKED' });
      }
      otherDisk.lock(`${root}/.other`).release();
      lock.release();
      lock.release();
      const again = otherDisk.lock(`${root}/.lock`);
      assert.throws(() => disk.lock(`${root}/.lock`), { code: 'ELOCKED' });
      again.release();
    }));
}
