/** The functions of the native addon, as the files beside this one call them. Nobody else does. */

/** Names an object of the native side; opaque. */
export type NativeHandle = { readonly native: unique symbol };

/** `native/network.c`. A negative number is a system error. */
export interface NetworkBinding {
  /** Opens a reactor that calls `turn` once for each wake-up; `shared` are the values of `SharedMemory`. */
  networkOpen(
    turn: (frames: number, events: number, receivedBytes: number) => void,
    shared: readonly unknown[],
  ): NativeHandle;
  /** Listens; returns `index * 65536 + port`. */
  networkListen(
    handle: NativeHandle,
    host: string,
    port: number,
    backlog: number,
    maxConnections: number,
    maxFrameBytes: number,
    frameTimeoutMs: number,
    socketBufferBytes: number,
    budget: number,
  ): number;
  networkUnlisten(handle: NativeHandle, index: number): void;
  /** Starts a connection to a numeric address; slot and generation are the first two results. */
  networkConnect(
    handle: NativeHandle,
    host: string,
    port: number,
    maxFrameBytes: number,
    frameTimeoutMs: number,
    socketBufferBytes: number,
    budget: number,
  ): number;
  /** Address of the other side: `host port`. */
  networkPeer(handle: NativeHandle, slot: number, generation: number): string;
  /** Carries out the first `count` numbers of the operations; returns the number of results. */
  networkFlush(handle: NativeHandle, count: number, arenaBytes: number): number;
  /** Offers a large frame's buffer that was taken over; returns the place in the pool where it is to be put, -1 when it is not wanted. */
  networkAdopt(handle: NativeHandle, buffer: Buffer): number;
  networkClose(handle: NativeHandle): void;
}

/** `native/crc32c.c`. */
export interface ChecksumBinding {
  crc32c(buffer: Buffer, start: number, end: number, seed: number): number;
  /** Without the processor's instruction; for tests. */
  crc32cByTables(buffer: Buffer, start: number, end: number, seed: number): number;
}

/** `native/records.c`. */
export interface RecordsBinding {
  /** Walks records; the result's numbers are in the order of `WalkField`. */
  walkRecords(
    buffer: Buffer,
    start: number,
    end: number,
    expectedCount: number,
    result: Float64Array,
    firstOffsetDelta: number,
  ): void;
}

/** `native/files.c` and `native/file-threads.c`. A negative number is a system error. */
export interface FilesBinding {
  /** Returns a descriptor. */
  fileOpen(path: string, mode: number): number;
  fileClose(descriptor: number): void;
  /** Writes the buffer from `start` on; returns the bytes written. */
  fileWrite(descriptor: number, data: Buffer, start: number, position: number): number;
  fileWriteParts(descriptor: number, parts: readonly Buffer[], position: number): number;
  fileRead(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number;
  /** Like `fileRead`, but the error `EAGAIN` where it would have to wait for the device. */
  fileReadCached(
    descriptor: number,
    target: Buffer,
    targetStart: number,
    lengthBytes: number,
    position: number,
  ): number;
  fileTruncate(descriptor: number, sizeBytes: number): number;
  /** Returns a descriptor that holds the lock, or the error `EAGAIN` when another process does. */
  fileLock(path: string): number;
  /** Whether a range is in the page cache: 0 no, 1 yes, 2 unknown. `probe`: without `cachestat`. */
  fileWarmth(descriptor: number, position: number, lengthBytes: number, probe: boolean): number;
  /** Opens a set of threads, which put ids and results into `results` and have `completed` called with the number of rows. */
  fileThreadsOpen(completed: (rows: number) => void, results: Float64Array): NativeHandle;
  fileThreadsClose(handle: NativeHandle): void;
  fileSyncLater(handle: NativeHandle, lane: number, descriptor: number, id: number): number;
  fileWarmLater(
    handle: NativeHandle,
    lane: number,
    descriptor: number,
    position: number,
    lengthBytes: number,
    id: number,
  ): number;
  fileWriteLater(
    handle: NativeHandle,
    lane: number,
    descriptor: number,
    parts: readonly Buffer[],
    position: number,
    id: number,
  ): number;
}

/** All of it. */
export interface AddonBinding extends NetworkBinding, ChecksumBinding, RecordsBinding, FilesBinding {}
