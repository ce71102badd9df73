import { int, list } from '../definition.ts';

/** Configs of a client metrics subscription (KIP-714). */
export const clientMetricsConfigs = {
  'interval.ms': int({
    default: 300_000,
    importance: 'MEDIUM',
    doc: 'How often a matching client pushes its metrics.',
  }),
  match: list({
    default: '',
    importance: 'MEDIUM',
    doc: 'Patterns, as attribute=regular expression, all of which a client must match; empty matches every client.',
  }),
  metrics: list({
    default: '',
    importance: 'MEDIUM',
    doc: 'Prefixes of the metrics that are asked for; * asks for all.',
  }),
};
