import { double, int, LONG_MAX, long } from '../definition.ts';
import { atLeast } from '../rules.ts';

/** Quotas of a user, a client id, or a pair of both. */
export const clientQuotaConfigs = {
  consumer_byte_rate: long({
    default: LONG_MAX,
    importance: 'MEDIUM',
    doc: 'Bytes a second that the client may fetch.',
  }),
  controller_mutation_rate: double({
    default: 2_147_483_647,
    importance: 'MEDIUM',
    doc: 'Partitions a second that the client may create or delete.',
  }),
  producer_byte_rate: long({
    default: LONG_MAX,
    importance: 'MEDIUM',
    doc: 'Bytes a second that the client may produce.',
  }),
  request_percentage: double({
    default: 2_147_483_647,
    importance: 'MEDIUM',
    doc: 'Share of the threads that requests of the client may take, 100 being one thread.',
  }),
};

/** Quotas of an IP address. */
export const ipQuotaConfigs = {
  connection_creation_rate: int({
    default: 2_147_483_647,
    rule: atLeast(0),
    importance: 'MEDIUM',
    doc: 'New connections a second from the address.',
  }),
};
