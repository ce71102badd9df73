import { MetadataDelta } from '../metadata/metadata-delta.ts';
import type { MetadataPublication } from '../metadata/metadata-loader.ts';
import type { MetadataPublisher } from '../metadata/metadata-publisher.ts';

/** So many first publications are kept for those who subscribe a little later than the start. */
const MAX_KEPT = 8;

/** Gives committed metadata to its subscribers. */
export class MetadataFeed {
  readonly #subscribers: MetadataPublisher[] = [];
  #newest: MetadataPublication | null = null;
  /** All publications since the empty image, null once they have become too many. */
  #kept: MetadataPublication[] | null = [];

  /** See `MetadataSource.subscribe`. */
  subscribe(publisher: MetadataPublisher): void {
    this.#subscribers.push(publisher);
    if (this.#newest === null) return;
    if (this.#kept !== null) {
      for (const { delta, image } of this.#kept) publisher.onMetadata(delta, image);
      return;
    }
    const { image } = this.#newest;
    const delta = MetadataDelta.fromNothing(image);
    delta.apply(image.provenance);
    publisher.onMetadata(delta, image);
  }

  /** Tells all subscribers, in the order of their subscription. */
  publish(publication: MetadataPublication): void {
    this.#newest = publication;
    if (this.#kept !== null && this.#kept.push(publication) > MAX_KEPT) this.#kept = null;
    // Who subscribes meanwhile has been given this publication by that.
    const subscribers = this.#subscribers.slice();
    for (const subscriber of subscribers) {
      subscriber.onMetadata(publication.delta, publication.image);
    }
  }
}
