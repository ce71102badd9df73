/** Longest name of a topic. */
export const MAX_TOPIC_NAME_LENGTH = 249;

const ALLOWED = /^[a-zA-Z0-9._-]+$/;

/** What is wrong with a topic's name, for the client; null for a good one. Source: formats §30. */
export function topicNameProblem(name: string): string | null {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed';
  if (name === '.' || name === '..') return `Topic name is invalid: '.' or '..' is not allowed`;
  if (name.length > MAX_TOPIC_NAME_LENGTH) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${MAX_TOPIC_NAME_LENGTH}`;
  }
  if (!ALLOWED.test(name)) {
    return `Topic name is invalid: '${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  }
  return null;
}

/** True for a name that another may collide with: metrics and directories of Kafka write `.` and `_` alike. */
export function canCollide(name: string): boolean {
  return name.includes('.') || name.includes('_');
}

/** The form under which colliding names are the same. */
export function collisionForm(name: string): string {
  return name.replaceAll('.', '_');
}
