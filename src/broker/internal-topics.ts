/** Where groups and their offsets are kept. */
export const GROUP_METADATA_TOPIC = '__consumer_offsets';

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  GROUP_METADATA_TOPIC,
  '__transaction_state',
  '__share_group_state',
]);

const MAX_TOPIC_NAME_LENGTH = 249;
const TOPIC_NAME = /^[a-zA-Z0-9._-]+$/;

/** True for the topics that the broker itself writes (formats §30). */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name);
}

/** True if a topic may have this name (formats §30). */
export function isValidTopicName(name: string): boolean {
  return name.length <= MAX_TOPIC_NAME_LENGTH && TOPIC_NAME.test(name) && name !== '.' && name !== '..';
}
