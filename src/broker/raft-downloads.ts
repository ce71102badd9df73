import { BrokerError } from '../base/broker-error.ts';
import type { Logger } from '../base/logger.ts';
import { DiskError } from '../io/disk.ts';
import type { LogEnvironment } from '../log/log-environment.ts';
import {
  compareSnapshotIds,
  type MetadataSnapshotStore,
  type SnapshotId,
  type SnapshotWriter,
} from '../log/metadata-snapshot-store.ts';
import { awaitDisk, runSteps, type Steps } from '../log/steps.ts';
import type { FrozenSnapshot } from '../raft/raft-api.ts';
import { VoterSet } from '../raft/voter-set.ts';
import { readSnapshot } from './metadata-snapshot-format.ts';

interface Download {
  readonly id: SnapshotId;
  readonly writer: SnapshotWriter;
  readonly pieces: Buffer[];
  isWriting: boolean;
  isFreezing: boolean;
  isDiscarded: boolean;
}

/** The snapshot that is fetched from the leader: writes its pieces one after the other, and freezes it when all are there. One at a time. */
export class RaftDownloads {
  readonly #environment: LogEnvironment;
  readonly #store: MetadataSnapshotStore;
  readonly #logger: Logger;
  readonly #frozen: (frozen: FrozenSnapshot | null) => void;
  #download: Download | null = null;

  /** `frozen` is told what `freeze` came to; null when the file could not be written or is not a snapshot. */
  constructor(
    environment: LogEnvironment,
    store: MetadataSnapshotStore,
    frozen: (frozen: FrozenSnapshot | null) => void,
  ) {
    this.#environment = environment;
    this.#store = store;
    this.#logger = environment.logger.child({ component: 'snapshots' });
    this.#frozen = frozen;
  }

  begin(id: SnapshotId): void {
    try {
      const writer = this.#store.createWriter(id);
      this.#download = {
        id,
        writer,
        pieces: [],
        isWriting: false,
        isFreezing: false,
        isDiscarded: false,
      };
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#failed(error);
    }
  }

  write(bytes: Buffer): void {
    this.#download?.pieces.push(bytes);
    this.#next(this.#download);
  }

  freeze(): void {
    const download = this.#download;
    if (download === null) return this.#environment.clock.defer(() => this.#frozen(null));
    download.isFreezing = true;
    return this.#next(download);
  }

  /** Removes what was fetched; also a snapshot that was frozen and is not to be used. */
  discard(id: SnapshotId): void {
    const download = this.#download;
    this.#download = null;
    if (download !== null) {
      download.isDiscarded = true;
      this.#next(download);
    } else if (this.#store.has(id)) this.#store.retire(id)();
  }

  #next(download: Download | null): void {
    if (download === null || download.isWriting) return;
    if (download.isDiscarded) return download.writer.abort();
    const piece = download.pieces.shift();
    if (piece === undefined) {
      if (download.isFreezing) this.#freeze(download);
      return;
    }
    download.isWriting = true;
    download.writer.append(piece, (error) => {
      download.isWriting = false;
      if (error !== null && !download.isDiscarded) {
        if (this.#download === download) this.#download = null;
        download.writer.abort();
        this.#failed(error);
        if (download.isFreezing) this.#frozen(null);
        return;
      }
      this.#next(download);
    });
  }

  #freeze(download: Download): void {
    download.isWriting = true;
    runSteps(this.#environment.clock, this.#freezeSteps(download), (error, frozen) => {
      if (this.#download === download) this.#download = null;
      if (error !== null) {
        if (!(error instanceof DiskError) && !(error instanceof BrokerError)) throw error;
        this.#failed(error);
      }
      if (!download.isDiscarded) return this.#frozen(frozen ?? null);
      if (this.#store.has(download.id)) this.#store.retire(download.id)();
    });
  }

  /** @throws BrokerError, DiskError */
  *#freezeSteps({ id, writer }: Download): Steps<FrozenSnapshot> {
    const error = yield* awaitDisk((done) => writer.freeze(done));
    if (error !== null) throw error;
    const reader = this.#store.openReader(id);
    try {
      const { sizeBytes } = reader;
      const source = {
        path: this.#store.pathOf(id),
        sizeBytes,
        read: (position: number, target: Buffer, lengthBytes: number) =>
          reader.read(position, target, lengthBytes),
      };
      const preamble = yield* readSnapshot(source, this.#environment.compute, () => undefined);
      const voters = preamble.voters === null ? null : new VoterSet(preamble.voters);
      return { fact: { id, sizeBytes }, facts: { kraftVersion: preamble.kraftVersion, voters } };
    } catch (cause) {
      if (compareSnapshotIds(this.#store.latest ?? id, id) === 0 && this.#store.has(id))
        this.#store.retire(id)();
      throw cause;
    } finally {
      reader.close();
    }
  }

  #failed(error: Error): void {
    this.#logger.warn('A snapshot of the metadata could not be fetched; it is tried again', { error });
  }
}
