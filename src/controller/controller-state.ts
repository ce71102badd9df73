import { assert } from '../base/assert.ts';
import { PersistentSet } from '../base/timeline-set.ts';
import { Timeline, type TimelineMap, type TimelineValue } from '../base/timeline.ts';
import { recordsBetween } from '../metadata/image-difference.ts';
import type { MetadataDelta } from '../metadata/metadata-delta.ts';
import type { MetadataImage, MetadataProvenance } from '../metadata/metadata-image.ts';
import { type LoaderState, MetadataLoader, type MetadataPublication } from '../metadata/metadata-loader.ts';
import type { MetadataRecord } from '../metadata/metadata-record.ts';
import { ReplicaIndex, expectedIndex } from './replica-index.ts';
import { canCollide, collisionForm } from './topic-names.ts';

/**
 * All that the controller derives from the log: the image with everything appended so far, committed or not, and indexes over it. Changed by
 * `replay` alone; a snapshot is taken at the end of each batch, named by the offset of its last record, and can be rolled back to until it is released.
 */
export class ControllerState {
  readonly index: ReplicaIndex;
  readonly #timeline = new Timeline();
  readonly #loader = new MetadataLoader();
  readonly #loaderState: TimelineValue<LoaderState>;
  /** Topic names that could collide, by their common form. */
  readonly #collisions: TimelineMap<string, PersistentSet<string>>;

  constructor() {
    this.#loaderState = this.#timeline.createValue(this.#loader.state);
    this.#collisions = this.#timeline.createMap();
    this.index = new ReplicaIndex(this.#timeline);
    this.#timeline.snapshot(this.image.provenance.offset);
  }

  /** The state after the last whole batch. */
  get image(): MetadataImage {
    return this.#loader.image;
  }

  /** Offset that the next record will be given. */
  get nextOffset(): number {
    return this.image.provenance.offset + 1;
  }

  /** Start of a transaction that has no end yet, or null. */
  get transactionStartOffset(): number | null {
    return this.#loader.transactionStartOffset;
  }

  /** A topic whose name collides with `name` without being it, or null. */
  collidingTopic(name: string): string | null {
    if (!canCollide(name)) return null;
    for (const other of this.#collisions.get(collisionForm(name)) ?? []) if (other !== name) return other;
    return null;
  }

  /** Takes the record at `offset`. @throws BrokerError when it cannot be applied. */
  replay(record: MetadataRecord, offset: number): void {
    this.#loader.replay(record, offset);
  }

  /** Ends a batch (or several): the records since the last call count now. Also for control batches, which have no records for us. */
  completeBatch(provenance: MetadataProvenance): MetadataPublication {
    const publication = this.#loader.complete(provenance);
    this.index.apply(publication.delta);
    this.#applyCollisions(publication.delta);
    this.#loaderState.value = this.#loader.state;
    this.#timeline.snapshot(provenance.offset);
    return publication;
  }

  /**
   * Goes to `image` at once, as a snapshot that a leader sent has it: forgets what was appended above the last released offset, and replays what differs. The image's offset is above all
   * that was released.
   */
  loadSnapshot(image: MetadataImage): MetadataPublication {
    const released = this.#timeline.oldestPosition;
    assert(released !== null, 'the released state is held');
    this.rollbackTo(released);
    assert(image.provenance.offset >= this.nextOffset, 'a snapshot brings something new');
    this.#loader.dropTransaction();
    for (const record of recordsBetween(this.image, image))
      this.#loader.replay(record, image.provenance.offset);
    return this.completeBatch(image.provenance);
  }

  /** Forgets snapshots below `offset`, where a batch ended: it is committed. */
  release(offset: number): void {
    assert(this.#timeline.hasSnapshot(offset), `no batch ended at offset ${offset}`);
    this.#timeline.releaseBelow(offset);
  }

  /** Goes back to the end of the batch whose last record is at `offset`. */
  rollbackTo(offset: number): void {
    this.#timeline.rollbackTo(offset);
    this.#loader.restore(this.#loaderState.value);
  }

  /** Asserts that the indexes say what the image says. Costs O(image). */
  checkInvariants(): void {
    const actual = this.index.describe();
    const expected = expectedIndex(this.image.topics);
    for (const fact of expected) assert(actual.has(fact), `the replica index lacks: ${fact}`);
    for (const fact of actual) assert(expected.has(fact), `the replica index has: ${fact}`);
    let colliding = 0;
    for (const { name } of this.image.topics.all()) {
      if (!canCollide(name)) continue;
      colliding++;
      assert(
        this.#collisions.get(collisionForm(name))?.has(name),
        `topic ${name} is not among the collisions`,
      );
    }
    let indexed = 0;
    for (const names of this.#collisions.view().values()) indexed += names.size;
    assert(indexed === colliding, 'the collisions hold a topic that is not there');
  }

  #applyCollisions(delta: MetadataDelta): void {
    for (const { name } of delta.topics?.deletedTopics.values() ?? []) {
      const names = this.#collisions.get(collisionForm(name))?.delete(name);
      if (names === undefined) continue;
      if (names.size === 0) this.#collisions.delete(collisionForm(name));
      else this.#collisions.set(collisionForm(name), names);
    }
    for (const { name, before } of delta.topics?.changedTopics.values() ?? []) {
      if (before !== null || !canCollide(name)) continue;
      const names = this.#collisions.get(collisionForm(name)) ?? PersistentSet.empty<string>();
      this.#collisions.set(collisionForm(name), names.add(name));
    }
  }
}
