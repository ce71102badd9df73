import { isValidUuid, type Uuid } from '../base/uuid.ts';
import { CheckpointFormatError } from './checkpoint-file.ts';
import { formatProperties, parseProperties } from './java-properties.ts';

/** `meta.properties`: whose log directory it is. Without a version it is of version 0, as Kafka takes it. */
export interface MetaProperties {
  readonly version: 0 | 1;
  /** Sure in version 1. */
  readonly clusterId: string | null;
  /** `node.id`, or `broker.id` in version 0. */
  readonly nodeId: number;
  readonly directoryId: Uuid | null;
}

/** @throws CheckpointFormatError when a value is missing or malformed */
export function parseMetaProperties(text: string): MetaProperties {
  const properties = parseProperties(text);
  const version = properties.get('version') ?? '0';
  if (version !== '0' && version !== '1') throw new CheckpointFormatError(`unknown version ${version}`);
  const clusterId = properties.get('cluster.id') ?? null;
  const nodeId = parseNodeId(properties.get(version === '1' ? 'node.id' : 'broker.id'));
  const directoryId = properties.get('directory.id') ?? null;
  if (clusterId === '') throw new CheckpointFormatError('cluster.id is empty');
  if (directoryId !== null && !isValidUuid(directoryId)) {
    throw new CheckpointFormatError(`directory.id is no uuid: ${directoryId}`);
  }
  if (version === '1' && clusterId === null) throw new CheckpointFormatError('cluster.id is missing');
  if (nodeId === null)
    throw new CheckpointFormatError(`${version === '1' ? 'node.id' : 'broker.id'} is missing`);
  return { version: version === '1' ? 1 : 0, clusterId, nodeId, directoryId };
}

/** The text of version 1. */
export function formatMetaProperties(meta: { clusterId: string; nodeId: number; directoryId: Uuid }): string {
  return formatProperties(
    [],
    [
      ['cluster.id', meta.clusterId],
      ['directory.id', meta.directoryId],
      ['node.id', String(meta.nodeId)],
      ['version', '1'],
    ],
  );
}

function parseNodeId(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^-?\d{1,10}$/.test(text)) throw new CheckpointFormatError(`node id is no number: ${text}`);
  return Number(text);
}
