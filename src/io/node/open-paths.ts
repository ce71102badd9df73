import { assert } from '../../base/assert.ts';

/** One name in the tree of the paths that open files have. */
export class PathNode<F> {
  name: string;
  parent: PathNode<F> | null;
  readonly children = new Map<string, PathNode<F>>();
  readonly files = new Set<F>();

  constructor(name: string, parent: PathNode<F> | null) {
    this.name = name;
    this.parent = parent;
  }
}

/** Paths of open files as a tree, so that the rename of a directory costs its depth and not the number of open files below it. */
export class OpenPaths<F> {
  readonly #root = new PathNode<F>('', null);
  /** Grows with every rename: who remembers a path looks here whether it may have changed. */
  renames = 0;

  /** Enters an open file; the node is the file's place from now on. */
  add(path: string, file: F): PathNode<F> {
    const node = this.#reach(path);
    node.files.add(file);
    return node;
  }

  /** Takes a closed file out. */
  remove(node: PathNode<F>, file: F): void {
    assert(node.files.delete(file), 'an open file stands at its path');
    prune(node);
  }

  /** Absolute path of a node. */
  pathOf(node: PathNode<F>): string {
    const names: string[] = [];
    for (let at: PathNode<F> | null = node; at !== null; at = at.parent) names.push(at.name);
    return names.reverse().join('/');
  }

  /** Follows a rename of a file or directory. What was open at `to` has lost its name: it is returned. */
  rename(from: string, to: string): F[] {
    const node = this.#find(from);
    const replaced = this.detach(to);
    if (node === null) return replaced;
    this.renames++;
    const formerParent = node.parent;
    assert(formerParent !== null, 'the root is not renamed');
    formerParent.children.delete(node.name);
    const slash = to.lastIndexOf('/');
    const parent = this.#reach(to.slice(0, slash));
    node.name = to.slice(slash + 1);
    node.parent = parent;
    parent.children.set(node.name, node);
    prune(formerParent);
    return replaced;
  }

  /** Files open at or below a path that is being unlinked; they stand nowhere from now on, though their nodes still tell the former path. */
  detach(path: string): F[] {
    const node = this.#find(path);
    if (node === null || node.parent === null) return [];
    node.parent.children.delete(node.name);
    prune(node.parent);
    return [...filesBelow(node)];
  }

  #find(path: string): PathNode<F> | null {
    let node: PathNode<F> | undefined = this.#root;
    for (const name of namesOf(path)) {
      node = node.children.get(name);
      if (node === undefined) return null;
    }
    return node;
  }

  #reach(path: string): PathNode<F> {
    let node = this.#root;
    for (const name of namesOf(path)) {
      let next = node.children.get(name);
      if (next === undefined) node.children.set(name, (next = new PathNode(name, node)));
      node = next;
    }
    return node;
  }
}

/** Removes nodes that hold nothing, upwards. */
function prune<F>(node: PathNode<F>): void {
  let at = node;
  while (at.parent !== null && at.files.size === 0 && at.children.size === 0) {
    if (at.parent.children.get(at.name) === at) at.parent.children.delete(at.name);
    at = at.parent;
  }
}

function* filesBelow<F>(node: PathNode<F>): Generator<F> {
  yield* node.files;
  for (const child of node.children.values()) yield* filesBelow(child);
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}
