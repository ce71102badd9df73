/** Is told that a partition it watches made progress (more to read) or changed its role. */
export interface ProgressWatcher {
  /** Must only take note: neither link nor unlink anything within the call. */
  onProgress(link: ProgressLink): void;
}

/** One watcher's place in one partition's list. */
export class ProgressLink {
  readonly watcher: ProgressWatcher;
  /** Which of the watcher's partitions this is; the watcher's own numbering. */
  readonly index: number;
  next: ProgressLink = this;
  previous: ProgressLink = this;

  constructor(watcher: ProgressWatcher, index: number) {
    this.watcher = watcher;
    this.index = index;
  }

  /** Leaves the list; nothing happens when it is in none. */
  unlink(): void {
    this.next.previous = this.previous;
    this.previous.next = this.next;
    this.next = this;
    this.previous = this;
  }
}

const nobody: ProgressWatcher = { onProgress() {} };

/** The watchers of one partition: a ring with a head that watches nothing. */
export class ProgressList {
  readonly #head = new ProgressLink(nobody, -1);

  /** Puts a link, which is in no list, at the end. */
  add(link: ProgressLink): void {
    const head = this.#head;
    link.previous = head.previous;
    link.next = head;
    head.previous.next = link;
    head.previous = link;
  }

  /** Tells every watcher. */
  notify(): void {
    for (let link = this.#head.next; link !== this.#head; link = link.next) link.watcher.onProgress(link);
  }
}
