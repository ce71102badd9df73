import { assert } from '../base/assert.ts';
import { type DiskCallback, DiskError } from './disk.ts';

/** What `FileWriter` writes to. Callbacks come exactly once, before the call returns or later. Codes are system error names. */
export interface WriteTarget {
  /** Path for messages. */
  readonly path: string;
  /** Writes the parts one after the other from `position` on. With `code` null, `writtenBytes` may be fewer than asked for, but not 0. */
  writeParts(
    parts: readonly Buffer[],
    position: number,
    done: (code: string | null, writtenBytes: number) => void,
  ): void;
  /** Makes all that was written durable. */
  sync(done: (code: string | null) => void): void;
  /** Cuts the file; returns the code of the failure, null when done. */
  cut(sizeBytes: number): string | null;
}

interface Append {
  parts: readonly Buffer[];
  remainingBytes: number;
  readonly done: DiskCallback;
}

/**
 * The writing end of a file that the disks share: appends one at a time in the order they were asked for, short writes continued, a failed append cut back and
 * those behind it cancelled; flushes cover the appends asked for before them, one `sync` at a time, those that wait share the next.
 */
export class FileWriter {
  readonly #target: WriteTarget;
  /** End of the last completed append. */
  #sizeBytes: number;
  /** Bytes of the first append that are written already. */
  #headBytes = 0;
  #appends: Append[] = [];
  #writing = false;
  #pumping = false;
  /** Set when a failed append could not be cut back: the end of the file is not known any more. */
  #broken = false;
  #appendsAsked = 0;
  #appendsEnded = 0;
  /** Flushes that wait for the append with this number to end. */
  #flushesBehindAppends: { appendNumber: number; done: DiskCallback }[] = [];
  #flushesWaiting: DiskCallback[] = [];
  #syncing = false;
  #syncCode: string | null = null;
  #whenIdle: (() => void)[] = [];

  constructor(target: WriteTarget, sizeBytes: number) {
    this.#target = target;
    this.#sizeBytes = sizeBytes;
  }

  /** Bytes written and completed. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** True while an append has not ended. */
  get appending(): boolean {
    return this.#appends.length > 0;
  }

  /** True while anything has not ended. */
  get busy(): boolean {
    return this.appending || this.#syncing || this.#flushesBehindAppends.length > 0;
  }

  /** The size changed by other means (truncation); no append is in flight. */
  resized(sizeBytes: number): void {
    assert(!this.appending, 'a file is not resized with appends in flight');
    this.#sizeBytes = sizeBytes;
  }

  /** See `DiskFile.append`. */
  append(parts: readonly Buffer[], done: DiskCallback): void {
    let remainingBytes = 0;
    for (const part of parts) remainingBytes += part.length;
    this.#appendsAsked++;
    this.#appends.push({ parts, remainingBytes, done });
    this.#pump();
  }

  /** See `DiskFile.flush`. After a failed sync every later flush fails too: the kernel may have dropped the pages. */
  flush(done: DiskCallback): void {
    if (this.appending) this.#flushesBehindAppends.push({ appendNumber: this.#appendsAsked, done });
    else this.#sync(done);
  }

  /** Calls `callback` when nothing is in flight; at once when that is so now. */
  whenIdle(callback: () => void): void {
    if (this.busy) this.#whenIdle.push(callback);
    else callback();
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    // What a callback throws is its owner's bug; the writer is consistent when it calls, and stays so.
    try {
      while (this.#appends.length > 0 && !this.#writing) this.#writeHead(this.#appends[0] as Append);
    } finally {
      this.#pumping = false;
    }
  }

  #writeHead(append: Append): void {
    if (this.#broken) {
      this.#fail('ECUT');
      return;
    }
    if (append.remainingBytes === 0) {
      this.#completeHead(append);
      return;
    }
    this.#writing = true;
    this.#target.writeParts(append.parts, this.#sizeBytes + this.#headBytes, this.#onWritten);
  }

  readonly #onWritten = (code: string | null, writtenBytes: number): void => {
    const append = this.#appends[0];
    assert(this.#writing && append !== undefined, 'a write ends once');
    this.#writing = false;
    const inline = this.#pumping;
    // What a callback appends is queued, not written inside it.
    this.#pumping = true;
    try {
      if (code !== null || writtenBytes === 0) this.#fail(code ?? 'EIO');
      else this.#written(append, writtenBytes);
    } finally {
      this.#pumping = inline;
    }
    this.#pump();
  };

  #written(append: Append, writtenBytes: number): void {
    assert(writtenBytes <= append.remainingBytes, 'no more is written than was asked for');
    this.#headBytes += writtenBytes;
    append.remainingBytes -= writtenBytes;
    if (append.remainingBytes === 0) this.#completeHead(append);
    else append.parts = dropBytes(append.parts, writtenBytes);
  }

  #completeHead(append: Append): void {
    this.#sizeBytes += this.#headBytes;
    this.#headBytes = 0;
    this.#appends.shift();
    this.#appendsEnded++;
    try {
      append.done(null);
    } finally {
      this.#appendEnded();
    }
  }

  /** The first append failed: nothing of it stays, and those behind it are not tried. */
  #fail(code: string): void {
    const failed = this.#appends;
    this.#appends = [];
    this.#headBytes = 0;
    if (!this.#broken && this.#target.cut(this.#sizeBytes) !== null) this.#broken = true;
    this.#appendsEnded += failed.length;
    const path = this.#target.path;
    for (const [index, append] of failed.entries()) {
      const own = this.#broken ? 'ECUT' : code;
      append.done(new DiskError(index === 0 ? own : 'ECANCELED', path, 'append to'));
    }
    this.#appendEnded();
  }

  #appendEnded(): void {
    let first = this.#flushesBehindAppends[0];
    while (first !== undefined && first.appendNumber <= this.#appendsEnded) {
      this.#flushesBehindAppends.shift();
      this.#sync(first.done);
      first = this.#flushesBehindAppends[0];
    }
    this.#tellIdle();
  }

  #sync(done: DiskCallback): void {
    this.#flushesWaiting.push(done);
    if (!this.#syncing) this.#startSync();
  }

  #startSync(): void {
    const flushes = this.#flushesWaiting;
    this.#flushesWaiting = [];
    this.#syncing = true;
    const ended = (code: string | null): void => {
      assert(this.#syncing, 'a sync ends once');
      this.#syncing = false;
      this.#syncCode = code;
      const error = code === null ? null : new DiskError(code, this.#target.path, 'flush');
      for (const done of flushes) done(error);
      if (this.#flushesWaiting.length > 0 && !this.#syncing) this.#startSync();
      this.#tellIdle();
    };
    if (this.#syncCode !== null) ended(this.#syncCode);
    else this.#target.sync(ended);
  }

  #tellIdle(): void {
    while (!this.busy) {
      const callback = this.#whenIdle.shift();
      if (callback === undefined) return;
      callback();
    }
  }
}

/** The parts without their first `count` bytes. */
function dropBytes(parts: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = [];
  let skip = count;
  for (const part of parts) {
    if (skip < part.length) rest.push(part.subarray(skip));
    skip = Math.max(0, skip - part.length);
  }
  return rest;
}
