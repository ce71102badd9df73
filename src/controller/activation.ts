import { ConfigResourceType } from '../metadata/configurations-image.ts';
import { type MetadataRecord, metadataRecord } from '../metadata/metadata-record.ts';
import {
  METADATA_VERSION_FEATURE,
  type MetadataVersion,
  hasTransactions,
} from '../metadata/metadata-version.ts';
import { ELR_FEATURE, SUPPORTED_FEATURES } from '../metadata/supported-features.ts';
import { MIN_INSYNC_REPLICAS } from './config-rules.ts';

/** The records that format puts into `bootstrap.checkpoint`: the level of every feature that is on, `metadata.version` first (formats §31). */
export function bootstrapRecords(): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const feature of SUPPORTED_FEATURES) {
    if (feature.defaultLevel === 0) continue;
    records.push(
      metadataRecord('FeatureLevelRecord', { name: feature.name, featureLevel: feature.defaultLevel }),
    );
  }
  return records;
}

/**
 * The first records of a new cluster: what format said, in a metadata transaction where there are any, so that a log which breaks
 * off within them counts as empty. With eligible leader replicas the cluster states its `min.insync.replicas`, so that all nodes agree on it.
 */
export function firstRecords(
  bootstrap: readonly MetadataRecord[],
  staticMinInsyncReplicas: number,
): MetadataRecord[] {
  const records = [...bootstrap];
  if (levelIn(bootstrap, ELR_FEATURE) > 0) {
    records.push(
      metadataRecord('ConfigRecord', {
        resourceType: ConfigResourceType.BROKER,
        resourceName: '',
        name: MIN_INSYNC_REPLICAS,
        value: String(staticMinInsyncReplicas),
      }),
    );
  }
  const version: MetadataVersion = levelIn(bootstrap, METADATA_VERSION_FEATURE);
  if (!hasTransactions(version)) return records;
  return [
    metadataRecord('BeginTransactionRecord', { name: 'Bootstrap records' }),
    ...records,
    metadataRecord('EndTransactionRecord', {}),
  ];
}

/** The record that ends a transaction its controller did not live to end. */
export function abortRecord(): MetadataRecord {
  return metadataRecord('AbortTransactionRecord', { reason: 'Controller failover' });
}

function levelIn(records: readonly MetadataRecord[], name: string): number {
  let level = 0;
  for (const record of records) {
    if (record.type === 'FeatureLevelRecord' && record.value.name === name) level = record.value.featureLevel;
  }
  return level;
}
