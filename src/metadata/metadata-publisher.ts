import type { MetadataDelta } from './metadata-delta.ts';
import type { MetadataImage } from './metadata-image.ts';

/**
 * Is told of committed metadata, in log order and without a gap: the image of one call is where the delta of the next starts. The
 * first call's delta starts from the empty image.
 */
export interface MetadataPublisher {
  /** `image` is in force from now on; `delta` (already applied) says what changed. Must not throw. */
  onMetadata(delta: MetadataDelta, image: MetadataImage): void;
}
