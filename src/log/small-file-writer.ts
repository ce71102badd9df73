import { assert } from '../base/assert.ts';
import type { Disk, DiskError } from '../io/disk.ts';

/**
 * Keeps a small file as new as its content, one replacement at a time: a `save` while one is being written leads to one more after it, with the content
 * of that moment.
 */
export class SmallFileWriter {
  readonly #disk: Disk;
  readonly #path: () => string;
  readonly #content: () => string;
  #writing = false;
  #dirty = false;
  #closed = false;
  #held = false;
  #waiting: ((error: DiskError | null) => void)[] = [];

  /** `path` and `content` are asked for when a replacement begins. */
  constructor(disk: Disk, path: () => string, content: () => string) {
    this.#disk = disk;
    this.#path = path;
    this.#content = content;
  }

  /** Has the file replaced with the present content. A failure is kept: the next `whenSaved` tries again. */
  save(): void {
    this.#dirty = true;
    this.#write();
  }

  /** Nothing is written before `letGo`, and nobody waits for it. Not while something is being written. */
  hold(): void {
    assert(!this.#writing, 'a file is held before it is written');
    this.#held = true;
  }

  letGo(): void {
    this.#held = false;
    this.#write();
  }

  /** Calls `done` when all content of now is durable, or could not be made so. At once if it is, or the file is held. */
  whenSaved(done: (error: DiskError | null) => void): void {
    if (this.#held || (!this.#dirty && !this.#writing)) return done(null);
    this.#waiting.push(done);
    return this.#write();
  }

  /** Nothing is written any more; what is in flight may still land. */
  close(): void {
    this.#closed = true;
    this.#dirty = false;
  }

  #write(): void {
    if (this.#writing || !this.#dirty || this.#closed || this.#held) return;
    this.#writing = true;
    this.#dirty = false;
    const served = this.#waiting;
    this.#waiting = [];
    this.#disk.replaceFile(this.#path(), Buffer.from(this.#content()), (error) => {
      this.#writing = false;
      if (error !== null && !this.#closed) this.#dirty = true;
      // Those who came during the replacement want newer content, unless nothing has changed since.
      const answered = this.#dirty && error === null ? served : [...served, ...this.#waiting.splice(0)];
      for (const done of answered) done(error);
      if (error === null) this.#write();
    });
  }
}
