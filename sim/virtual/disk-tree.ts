import { assert } from '../../src/base/assert.ts';
import type { Random } from '../../src/base/random.ts';
import { DiskError } from '../../src/io/disk.ts';
import { FileContent } from './disk-content.ts';

/** A file: its content outlives its name for as long as someone holds the node. */
export interface FileNode {
  readonly kind: 'file';
  readonly inode: number;
  readonly content: FileContent;
  modifiedMs: number;
  /** Where it is named; null once unlinked. */
  parent: DirectoryNode | null;
  name: string;
}

/** A directory and its entries. */
export interface DirectoryNode {
  readonly kind: 'directory';
  readonly inode: number;
  readonly entries: Map<string, TreeNode>;
  modifiedMs: number;
  parent: DirectoryNode | null;
  name: string;
}

/** What a name stands for. */
export type TreeNode = FileNode | DirectoryNode;

/** A change of entries that no flush of its directories has covered yet. */
interface EntryChange {
  readonly sequence: number;
  readonly directories: readonly DirectoryNode[];
  readonly undo: () => void;
}

/**
 * The names of a virtual disk. Creating, renaming and unlinking change directory entries in the page cache; only the flush of the directory makes them
 * durable. A crash takes back a random suffix of each directory's changes; a rename between two directories is there whole or not at all.
 */
export class DirectoryTree {
  readonly root: DirectoryNode = newDirectory(1, null, '');
  #nextInode = 2;
  #nextSequence = 1;
  #changes: EntryChange[] = [];

  /** The node at an absolute path, null when there is none. */
  find(path: string): TreeNode | null {
    assert(path.startsWith('/'), `a path must be absolute: ${path}`);
    let node: TreeNode = this.root;
    for (const name of namesOf(path)) {
      if (node.kind !== 'directory') return null;
      const next = node.entries.get(name);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  /** The directory that holds the last name of `path`, and that name. @throws DiskError */
  place(path: string, operation: string): { directory: DirectoryNode; name: string } {
    const names = namesOf(path);
    const name = names.pop();
    assert(name !== undefined, 'the root is not an entry');
    const directory = this.find(`/${names.join('/')}`);
    if (directory === null) throw new DiskError('ENOENT', path, operation);
    if (directory.kind !== 'directory') throw new DiskError('ENOTDIR', path, operation);
    return { directory, name };
  }

  createFile(path: string, nowMs: number): FileNode {
    const { directory, name } = this.place(path, 'create');
    if (directory.entries.has(name)) throw new DiskError('EEXIST', path, 'create');
    const content = new FileContent();
    const file: FileNode = {
      kind: 'file',
      inode: this.#nextInode++,
      content,
      modifiedMs: nowMs,
      parent: null,
      name,
    };
    this.#enter(directory, name, file);
    return file;
  }

  /** Makes missing directories on the way too. */
  createDirectories(path: string, nowMs: number): void {
    let at = this.root;
    for (const name of namesOf(path)) {
      let next = at.entries.get(name);
      if (next === undefined) {
        next = newDirectory(this.#nextInode++, null, name);
        next.modifiedMs = nowMs;
        this.#enter(at, name, next);
      }
      if (next.kind !== 'directory') throw new DiskError('ENOTDIR', path, 'make directory');
      at = next;
    }
  }

  /** Takes a file, or a directory with all below it, out of the tree; nodes stay usable for who holds them. */
  remove(node: TreeNode): void {
    if (node.kind === 'directory') {
      for (const child of node.entries.values()) this.remove(child);
    }
    const { parent, name } = node;
    assert(parent !== null, 'the root and what was unlinked cannot be removed');
    detach(node);
    this.#record([parent], () => attach(node, parent, name));
  }

  /** Moves a node; a file that is in the way is replaced. @throws DiskError */
  rename(node: TreeNode, to: string): void {
    const { directory, name } = this.place(to, 'rename to');
    const replaced = directory.entries.get(name) ?? null;
    if (replaced === node) return;
    if (replaced !== null && (replaced.kind === 'directory' || node.kind === 'directory')) {
      throw new DiskError('EEXIST', to, 'rename to');
    }
    const { parent, name: formerName } = node;
    assert(parent !== null, 'what was unlinked cannot be renamed');
    detach(node);
    if (replaced !== null) detach(replaced);
    attach(node, directory, name);
    this.#record(parent === directory ? [parent] : [parent, directory], () => {
      detach(node);
      attach(node, parent, formerName);
      if (replaced !== null) attach(replaced, directory, name);
    });
  }

  /** A flush of a directory begins; see `flushed`. */
  flushMark(): number {
    return this.#nextSequence;
  }

  /** The flush of `directory` that began at `mark` ended well; a rename takes the earlier changes of its other directory along. */
  flushed(directory: DirectoryNode, mark: number): void {
    const durable = new Set([directory]);
    const kept: EntryChange[] = [];
    for (const change of this.#changes.toReversed()) {
      if (change.sequence < mark && change.directories.some((one) => durable.has(one))) {
        for (const one of change.directories) durable.add(one);
      } else {
        kept.push(change);
      }
    }
    this.#changes = kept.reverse();
  }

  /** The machine loses power. `lossProbability` is asked per change; the first lost one of a directory takes the later ones with it. */
  crash(random: Random, lossProbability: number): void {
    const broken = new Set<DirectoryNode>();
    const lost: EntryChange[] = [];
    for (const change of this.#changes) {
      if (!change.directories.some((one) => broken.has(one)) && !random.chance(lossProbability)) continue;
      for (const one of change.directories) broken.add(one);
      lost.push(change);
    }
    for (const change of lost.toReversed()) change.undo();
    this.#changes = [];
  }

  /** Every file that has a name, depth first in byte order of names. */
  *files(directory: DirectoryNode = this.root): Generator<FileNode> {
    for (const name of sortedNames(directory)) {
      const node = directory.entries.get(name) as TreeNode;
      if (node.kind === 'file') yield node;
      else yield* this.files(node);
    }
  }

  #enter(directory: DirectoryNode, name: string, node: TreeNode): void {
    attach(node, directory, name);
    this.#record([directory], () => detach(node));
  }

  #record(directories: readonly DirectoryNode[], undo: () => void): void {
    this.#changes.push({ sequence: this.#nextSequence++, directories, undo });
  }
}

/** Absolute path of a node that is in the tree; of one that is not, the last path as far as it is known. */
export function pathOf(node: TreeNode): string {
  const names: string[] = [];
  for (let at: TreeNode | null = node; at !== null && at.name !== ''; at = at.parent) names.push(at.name);
  return `/${names.reverse().join('/')}`;
}

/** Names of a directory in byte order. */
export function sortedNames(directory: DirectoryNode): string[] {
  return [...directory.entries.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function newDirectory(inode: number, parent: DirectoryNode | null, name: string): DirectoryNode {
  return { kind: 'directory', inode, entries: new Map(), modifiedMs: 0, parent, name };
}

function attach(node: TreeNode, directory: DirectoryNode, name: string): void {
  assert(node.parent === null && !directory.entries.has(name), 'an entry is free before it is taken');
  directory.entries.set(name, node);
  node.parent = directory;
  node.name = name;
}

function detach(node: TreeNode): void {
  assert(node.parent?.entries.get(node.name) === node, 'an entry names its node');
  node.parent.entries.delete(node.name);
  node.parent = null;
}
