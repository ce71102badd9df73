import type { RaftApiKey } from '../../src/raft/raft-api.ts';
import type { CastVote } from './node.ts';

interface Loose {
  readonly topics?: readonly { readonly partitions: readonly Readonly<Record<string, unknown>>[] }[];
  readonly responses?: readonly { readonly partitions: readonly Readonly<Record<string, unknown>>[] }[];
}

/** The epoch of its sender that a message tells; null when it tells none. */
export function toldEpoch(apiKey: RaftApiKey, body: object): number | null {
  const partition = partitionOf(body);
  if (partition === null) return null;
  if (apiKey === 52 && 'replicaEpoch' in partition) return numberOf(partition['replicaEpoch']);
  if ('currentLeader' in partition) {
    return numberOf((partition['currentLeader'] as { readonly leaderEpoch: number }).leaderEpoch);
  }
  return numberOf(partition['leaderEpoch'] ?? partition['currentLeaderEpoch']);
}

/** The vote a request is about; null for other requests. */
export function castVote(apiKey: RaftApiKey, body: object): CastVote | null {
  const partition = partitionOf(body);
  if (apiKey !== 52 || partition === null || !('replicaEpoch' in partition)) return null;
  return {
    epoch: Number(partition['replicaEpoch']),
    candidateId: Number(partition['replicaId']),
    preVote: partition['preVote'] === true,
  };
}

/** True for an answer to Fetch in which nothing is wrong. */
export function isFetched(body: object): boolean {
  const partition = 'responses' in body ? partitionOf(body) : null;
  return partition?.['errorCode'] === 0;
}

function partitionOf(body: object): Readonly<Record<string, unknown>> | null {
  const { topics, responses } = body as Loose;
  return (topics ?? responses)?.[0]?.partitions[0] ?? null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
