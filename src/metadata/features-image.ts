import { BrokerError } from '../base/broker-error.ts';
import { PersistentMap } from '../base/timeline-map.ts';
import type { FeatureLevelRecord } from '../protocol/records/feature-level-record.ts';
import { type MetadataRecord, metadataRecord } from './metadata-record.ts';
import {
  LATEST_METADATA_VERSION,
  METADATA_VERSION_FEATURE,
  MINIMUM_METADATA_VERSION,
  type MetadataVersion,
} from './metadata-version.ts';

/** The finalized features of the cluster, immutable. */
export class FeaturesImage {
  /** No feature finalized. */
  static readonly EMPTY = new FeaturesImage(PersistentMap.empty());

  /** Finalized levels > 0 by feature name, `metadata.version` among them if it was ever set. */
  readonly levels: PersistentMap<string, number>;

  constructor(levels: PersistentMap<string, number>) {
    this.levels = levels;
  }

  /** Level of `metadata.version`. */
  get metadataVersion(): MetadataVersion {
    return this.levels.get(METADATA_VERSION_FEATURE) ?? MINIMUM_METADATA_VERSION;
  }

  /** Finalized level of a feature, 0 if it has none. */
  level(name: string): number {
    return this.levels.get(name) ?? 0;
  }

  /** Records that make this state; `metadata.version` first, since it decides how the rest is read. */
  *toRecords(): IterableIterator<MetadataRecord> {
    const names = [...this.levels.keys()].filter((name) => name !== METADATA_VERSION_FEATURE).sort();
    if (this.levels.has(METADATA_VERSION_FEATURE)) names.unshift(METADATA_VERSION_FEATURE);
    for (const name of names) {
      yield metadataRecord('FeatureLevelRecord', { name, featureLevel: this.level(name) });
    }
  }
}

/** What changed of the features. */
export class FeaturesDelta {
  /** New level by name, 0 for a feature no longer finalized. */
  readonly changes = new Map<string, number>();
  readonly #image: FeaturesImage;

  constructor(image: FeaturesImage) {
    this.#image = image;
  }

  /** @throws BrokerError `METADATA_UNSUPPORTED` for a `metadata.version` outside 7..29. */
  replay(record: Readonly<FeatureLevelRecord>): void {
    const { name, featureLevel } = record;
    if (
      name === METADATA_VERSION_FEATURE &&
      (featureLevel < MINIMUM_METADATA_VERSION || featureLevel > LATEST_METADATA_VERSION)
    ) {
      throw new BrokerError(
        'METADATA_UNSUPPORTED',
        `the cluster is at metadata.version ${featureLevel}; this version supports ${MINIMUM_METADATA_VERSION} to ${LATEST_METADATA_VERSION}`,
      );
    }
    this.changes.set(name, featureLevel);
  }

  /** Level of `metadata.version` with the changes. */
  get metadataVersion(): MetadataVersion {
    return this.changes.get(METADATA_VERSION_FEATURE) ?? this.#image.metadataVersion;
  }

  /** The features with the changes. */
  apply(): FeaturesImage {
    return new FeaturesImage(applyChanges(this.#image.levels, this.changes, (level) => level > 0));
  }
}

function applyChanges<K extends string, V>(
  map: PersistentMap<K, V>,
  changes: ReadonlyMap<K, V>,
  keep: (value: V) => boolean,
): PersistentMap<K, V> {
  const next = map.toMutable();
  for (const [key, value] of changes) {
    if (keep(value)) next.set(key, value);
    else next.delete(key);
  }
  return next.freeze();
}
