import { BrokerError } from '../base/broker-error.ts';
import { ZERO_UUID } from '../base/uuid.ts';
import type { ElectionState } from '../raft/election-state.ts';

/** Name of the file beside the metadata log. */
export const QUORUM_STATE_FILE = 'quorum-state';

/** A uuid in Kafka's text form. */
const UUID_TEXT = /^[\w-]{22}$/;

/**
 * The content of `quorum-state` (formats §17): one line of JSON, fields in Kafka's order. Data version 1 with voters in the log (kraft.version 1), else 0, which names
 * the fixed voters.
 */
export function formatQuorumState(state: ElectionState): string {
  if (state.kraftVersion > 0) {
    return JSON.stringify({
      leaderId: state.leaderId,
      leaderEpoch: state.epoch,
      votedId: state.votedId,
      votedDirectoryId: state.votedDirectoryId,
      data_version: 1,
    });
  }
  return JSON.stringify({
    clusterId: '',
    leaderId: state.leaderId,
    leaderEpoch: state.epoch,
    votedId: state.votedId,
    appliedOffset: 0,
    currentVoters: state.voterIds.map((voterId) => ({ voterId })),
    data_version: 0,
  });
}

/**
 * Reads the file's content, of either data version; `path` is for messages.
 * @throws BrokerError `METADATA_CORRUPT`, or `METADATA_UNSUPPORTED` for a data version to come
 */
export function parseQuorumState(text: string, path: string): ElectionState {
  const corrupt = (): BrokerError =>
    new BrokerError('METADATA_CORRUPT', `${path} is not a quorum state that Kafka or Odradek wrote`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw corrupt();
  }
  if (typeof parsed !== 'object' || parsed === null) throw corrupt();
  const fields = parsed as Record<string, unknown>;
  const integer = (value: unknown): number => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw corrupt();
    return value;
  };
  const version = integer(fields['data_version']);
  if (version < 0) throw corrupt();
  if (version > 1) {
    throw new BrokerError('METADATA_UNSUPPORTED', `${path} has data version ${version}, which is not known`);
  }
  const epoch = integer(fields['leaderEpoch']);
  const leaderId = integer(fields['leaderId']);
  const votedId = integer(fields['votedId']);
  if (epoch < 0 || leaderId < -1 || votedId < -1) throw corrupt();
  const directoryId = fields['votedDirectoryId'] ?? ZERO_UUID;
  if (typeof directoryId !== 'string' || !UUID_TEXT.test(directoryId)) throw corrupt();
  const voters = fields['currentVoters'] ?? [];
  if (!Array.isArray(voters)) throw corrupt();
  return {
    epoch,
    leaderId,
    votedId,
    votedDirectoryId: directoryId,
    kraftVersion: version,
    voterIds: voters.map((voter: unknown) => integer((voter as Record<string, unknown> | null)?.['voterId'])),
  };
}
