import { isValidUuid, type Uuid } from '../base/uuid.ts';
import { CheckpointFormatError } from './checkpoint-file.ts';

/** The text of `partition.metadata`; no newline at its end. */
export function formatPartitionMetadata(topicId: Uuid): string {
  return `version: 0\ntopic_id: ${topicId}`;
}

/** The topic id in `partition.metadata`. @throws CheckpointFormatError */
export function parsePartitionMetadata(text: string): Uuid {
  const fields = new Map(
    text
      .split('\n')
      .map((line) => line.split(':'))
      .map(([key = '', value = '']) => [key.trim(), value.trim()]),
  );
  const version = fields.get('version');
  const topicId = fields.get('topic_id') ?? '';
  if (version !== '0') throw new CheckpointFormatError(`unknown version ${version}`);
  if (!isValidUuid(topicId)) throw new CheckpointFormatError(`topic_id is no uuid: ${topicId}`);
  return topicId;
}
