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
  networkClose(handle: NativeHandle): void;
}

/** `native/crc32c.c`. */
export interface ChecksumBinding {
  crc32c(buffer: Buffer, start: number, end: number, seed: number): number;
  /** Without the processor's instruction; for tests. */
  crc32cByTables(buffer: Buffer, start: number, end: number, seed: number): number;
}

/** All of it. */
export interface AddonBinding extends NetworkBinding, ChecksumBinding {}
