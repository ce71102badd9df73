import {
  LATEST_METADATA_VERSION,
  METADATA_VERSION_FEATURE,
  MINIMUM_METADATA_VERSION,
} from './metadata-version.ts';

/** A feature as this version knows it. Source: formats §31 and the table of features of Kafka 4.2. */
export interface FeatureDescription {
  readonly name: string;
  /** Lowest and highest level supported, both inclusive; 0 means that the feature can be off. */
  readonly minLevel: number;
  readonly maxLevel: number;
  /** Level that a new cluster of the latest `metadata.version` gets. */
  readonly defaultLevel: number;
  /** Lowest `metadata.version` at which a level above 0 may be finalized. */
  readonly neededMetadataVersion: number;
}

/** Eligible leader replicas are kept (KIP-966). */
export const ELR_FEATURE = 'eligible.leader.replicas.version';

/**
 * The features this version supports, `metadata.version` first. `kraft.version` is not among them: it is raised by a control
 * record of the quorum, never by a FeatureLevelRecord.
 */
export const SUPPORTED_FEATURES: readonly FeatureDescription[] = [
  {
    name: METADATA_VERSION_FEATURE,
    minLevel: MINIMUM_METADATA_VERSION,
    maxLevel: LATEST_METADATA_VERSION,
    defaultLevel: LATEST_METADATA_VERSION,
    neededMetadataVersion: MINIMUM_METADATA_VERSION,
  },
  optional(ELR_FEATURE, 1, 23),
  optional('group.version', 1, MINIMUM_METADATA_VERSION),
  optional('share.version', 1, MINIMUM_METADATA_VERSION),
  optional('streams.version', 1, MINIMUM_METADATA_VERSION),
  optional('transaction.version', 2, MINIMUM_METADATA_VERSION),
];

/** The description of a feature, or undefined. */
export function supportedFeature(name: string): FeatureDescription | undefined {
  return SUPPORTED_FEATURES.find((feature) => feature.name === name);
}

function optional(name: string, maxLevel: number, neededMetadataVersion: number): FeatureDescription {
  return { name, minLevel: 0, maxLevel, defaultLevel: maxLevel, neededMetadataVersion };
}
