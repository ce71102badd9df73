import { BrokerError } from '../base/broker-error.ts';

/** Name of the file beside the metadata log. */
export const QUORUM_STATE_FILE = 'quorum-state';

/**
 * What a voter must not forget (formats §17): the epoch it has seen, whom it voted for in it and whom it took for the leader. Of a quorum with
 * fixed voters (kraft.version 0).
 */
export interface QuorumState {
  /** -1 for none. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  /** -1 for none. */
  readonly votedId: number;
  readonly voterIds: readonly number[];
}

/** The file's content: one line of JSON, fields in Kafka's order. */
export function formatQuorumState(state: QuorumState): string {
  return JSON.stringify({
    clusterId: '',
    leaderId: state.leaderId,
    leaderEpoch: state.leaderEpoch,
    votedId: state.votedId,
    appliedOffset: 0,
    currentVoters: state.voterIds.map((voterId) => ({ voterId })),
    data_version: 0,
  });
}

/**
 * Reads the file's content; `path` is for messages.
 * @throws BrokerError `METADATA_CORRUPT`, or `METADATA_UNSUPPORTED` for a quorum whose voters are in the log (kraft.version 1).
 */
export function parseQuorumState(text: string, path: string): QuorumState {
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
  const version = fields['data_version'];
  if (version !== 0) {
    if (!Number.isSafeInteger(version)) throw corrupt();
    throw new BrokerError(
      'METADATA_UNSUPPORTED',
      `${path} has data version ${String(version)}: it belongs to a quorum with dynamic voters, which this version cannot take part in`,
    );
  }
  const integer = (value: unknown): number => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw corrupt();
    return value;
  };
  const voters = fields['currentVoters'] ?? [];
  if (!Array.isArray(voters)) throw corrupt();
  return {
    leaderId: integer(fields['leaderId']),
    leaderEpoch: integer(fields['leaderEpoch']),
    votedId: integer(fields['votedId']),
    voterIds: voters.map((voter: unknown) => integer((voter as Record<string, unknown> | null)?.['voterId'])),
  };
}
