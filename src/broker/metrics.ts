import type { Gauge, Registry } from 'prom-client';
import { apiByKey } from '../protocol/api-keys.ts';
import type { Counters } from './counters.ts';

/** State that is measured when the page is asked for. */
export interface Gauges {
  readonly connections: number;
  readonly retainedBytes: number;
  readonly fetchSessions: number;
  readonly fetchSessionPartitions: number;
  readonly waitingFetches: number;
  readonly partitions: number;
  readonly leaders: number;
  readonly logBytes: number;
  readonly offlineLogDirectories: number;
  readonly metadataOffset: number;
  readonly coordinators: { readonly groups: number; readonly offsets: number; readonly shards: number };
}

/** `counter` only grows; `gauge` goes both ways. */
type Kind = 'counter' | 'gauge';

/** Value by label value; the label's name stands in the metric. A plain number has no label. */
type Value = number | ReadonlyMap<string, number>;

interface Metric {
  readonly kind: Kind;
  readonly name: string;
  readonly help: string;
  readonly label?: string;
  readonly value: (counters: Counters, gauges: Gauges) => Value;
}

const METRICS: readonly Metric[] = [
  {
    kind: 'counter',
    name: 'requests_total',
    help: 'Requests taken up.',
    label: 'api',
    value: (c) => perApi(c, (api) => api.requests),
  },
  {
    kind: 'counter',
    name: 'answers_total',
    help: 'Answers given to the network.',
    label: 'api',
    value: (c) => perApi(c, (api) => api.answers),
  },
  {
    kind: 'counter',
    name: 'request_errors_total',
    help: 'Errors told in answers.',
    label: 'api',
    value: (c) => perApi(c, (api) => api.errors),
  },
  {
    kind: 'counter',
    name: 'request_seconds_total',
    help: 'Time from taking requests up to their answers.',
    label: 'api',
    value: (c) => perApi(c, (api) => api.durationMsSum / 1000),
  },
  {
    kind: 'counter',
    name: 'connections_accepted_total',
    help: 'Connections accepted.',
    value: (c) => c.connectionsAccepted,
  },
  {
    kind: 'counter',
    name: 'connections_closed_total',
    help: 'Connections that ended.',
    label: 'reason',
    value: (c) => c.closed,
  },
  { kind: 'gauge', name: 'connections', help: 'Connections open.', value: (_, g) => g.connections },
  {
    kind: 'counter',
    name: 'received_frames_total',
    help: 'Frames received.',
    value: (c) => c.framesReceived,
  },
  {
    kind: 'counter',
    name: 'received_bytes_total',
    help: 'Bytes of frames received.',
    value: (c) => c.bytesReceived,
  },
  {
    kind: 'counter',
    name: 'sent_bytes_total',
    help: 'Bytes of answers given to the network.',
    value: (c) => c.bytesSent,
  },
  {
    kind: 'counter',
    name: 'malformed_frames_total',
    help: 'Frames that were no request; their connections were closed.',
    value: (c) => c.malformedFrames,
  },
  {
    kind: 'counter',
    name: 'trailing_bytes_total',
    help: 'Bytes after the end of requests, ignored.',
    value: (c) => c.trailingBytes,
  },
  {
    kind: 'counter',
    name: 'handler_failures_total',
    help: 'Handlers that failed; their connections were closed.',
    value: (c) => c.handlerFailures,
  },
  {
    kind: 'gauge',
    name: 'retained_frame_bytes',
    help: 'Bytes of frames that pending requests keep.',
    value: (_, g) => g.retainedBytes,
  },
  {
    kind: 'gauge',
    name: 'longest_turn_seconds',
    help: 'Longest time that the frames of one wake-up kept the loop.',
    value: (c) => c.longestTurnMs / 1000,
  },
  {
    kind: 'counter',
    name: 'long_turns_total',
    help: 'Wake-ups whose frames kept the loop for more than 5 ms.',
    value: (c) => c.longTurns,
  },
  { kind: 'gauge', name: 'groups', help: 'Groups coordinated.', value: (_, g) => g.coordinators.groups },
  {
    kind: 'gauge',
    name: 'committed_offsets',
    help: 'Offsets that groups have committed.',
    value: (_, g) => g.coordinators.offsets,
  },
  {
    kind: 'gauge',
    name: 'group_coordinator_shards',
    help: 'Partitions of __consumer_offsets that are loaded.',
    value: (_, g) => g.coordinators.shards,
  },
  {
    kind: 'counter',
    name: 'appended_records_total',
    help: 'Records appended by producers.',
    value: (c) => c.recordsAppended,
  },
  {
    kind: 'counter',
    name: 'appended_record_bytes_total',
    help: 'Bytes of record batches appended by producers.',
    value: (c) => c.recordBytesAppended,
  },
  {
    kind: 'counter',
    name: 'failed_appends_total',
    help: 'Batches refused or not acknowledged.',
    value: (c) => c.failedAppends,
  },
  {
    kind: 'counter',
    name: 'fetched_record_bytes_total',
    help: 'Bytes of record batches sent to readers.',
    value: (c) => c.recordBytesFetched,
  },
  {
    kind: 'counter',
    name: 'delayed_fetches_total',
    help: 'Fetches that had to wait for records.',
    value: (c) => c.fetchesDelayed,
  },
  {
    kind: 'counter',
    name: 'delayed_acknowledgements_total',
    help: 'Produce requests that had to wait for acknowledgements.',
    value: (c) => c.acknowledgementsDelayed,
  },
  {
    kind: 'gauge',
    name: 'waiting_fetches',
    help: 'Fetches that wait now.',
    value: (_, g) => g.waitingFetches,
  },
  { kind: 'gauge', name: 'fetch_sessions', help: 'Fetch sessions open.', value: (_, g) => g.fetchSessions },
  {
    kind: 'gauge',
    name: 'fetch_session_partitions',
    help: 'Partitions in fetch sessions.',
    value: (_, g) => g.fetchSessionPartitions,
  },
  {
    kind: 'counter',
    name: 'fetch_sessions_created_total',
    help: 'Fetch sessions made.',
    value: (c) => c.sessionsCreated,
  },
  {
    kind: 'counter',
    name: 'fetch_sessions_evicted_total',
    help: 'Fetch sessions that had to make room.',
    value: (c) => c.sessionsEvicted,
  },
  {
    kind: 'counter',
    name: 'auto_created_topics_total',
    help: 'Topics made because a client asked for them.',
    value: (c) => c.topicsAutoCreated,
  },
  { kind: 'gauge', name: 'partitions', help: 'Replicas on this broker.', value: (_, g) => g.partitions },
  {
    kind: 'gauge',
    name: 'leader_partitions',
    help: 'Partitions that this broker leads.',
    value: (_, g) => g.leaders,
  },
  { kind: 'gauge', name: 'log_bytes', help: 'Bytes of all segments.', value: (_, g) => g.logBytes },
  {
    kind: 'gauge',
    name: 'offline_log_directories',
    help: 'Log directories that failed.',
    value: (_, g) => g.offlineLogDirectories,
  },
  {
    kind: 'gauge',
    name: 'metadata_offset',
    help: 'Offset of the last metadata record in force.',
    value: (_, g) => g.metadataOffset,
  },
];

/** The page that Prometheus scrapes. The library is loaded when the first one is asked for. */
export class MetricsPage {
  readonly #counters: Counters;
  readonly #gauges: () => Gauges;
  #registry: Registry | null = null;

  constructor(counters: Counters, gauges: () => Gauges) {
    this.#counters = counters;
    this.#gauges = gauges;
  }

  /** The page and its content type. */
  async render(): Promise<{ readonly contentType: string; readonly body: string }> {
    this.#registry ??= await this.#makeRegistry();
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  async #makeRegistry(): Promise<Registry> {
    // Its exports are those of a CommonJS module: bundled, only `default` has them.
    const { Counter, Gauge, Registry } = (await import('prom-client')).default;
    const registry = new Registry();
    for (const metric of METRICS) {
      const options = {
        name: `odradek_${metric.name}`,
        help: metric.help,
        labelNames: metric.label === undefined ? [] : [metric.label],
        registers: [registry],
      };
      const read = (): Value => metric.value(this.#counters, this.#gauges());
      if (metric.kind === 'gauge') {
        new Gauge({
          ...options,
          collect() {
            set(this, metric, read());
          },
        });
      } else {
        new Counter({
          ...options,
          collect() {
            this.reset();
            add(metric, read(), (labels, value) => this.inc(labels, value));
          },
        });
      }
    }
    return registry;
  }
}

function set(gauge: Gauge, metric: Metric, value: Value): void {
  add(metric, value, (labels, number) => gauge.set(labels, number));
}

function add(
  metric: Metric,
  value: Value,
  put: (labels: Record<string, string>, value: number) => void,
): void {
  if (typeof value === 'number') put({}, value);
  else for (const [label, number] of value) put({ [metric.label as string]: label }, number);
}

type ApiCounters = ReturnType<Counters['api']>;

function perApi(counters: Counters, read: (api: ApiCounters) => number): Map<string, number> {
  const values = new Map<string, number>();
  for (const key of counters.apiKeys())
    values.set(apiByKey(key)?.name ?? String(key), read(counters.api(key)));
  return values;
}
