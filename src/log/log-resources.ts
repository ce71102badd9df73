import { BlockBudget, MAX_BLOCK_BYTES_HELD } from '../records/block-budget.ts';
import type { ValidationResources } from '../records/validate.ts';
import { AppendGate } from './append-gate.ts';
import { BatchScanner } from './batch-scanner.ts';
import { FlushTimer } from './flush-timer.ts';
import { IndexMemory, MAX_INDEX_BYTES } from './index-memory.ts';
import type { LogEnvironment } from './log-environment.ts';

/** What logs share: the ports, and buffers and timers of which one serves all. */
export interface LogResources {
  readonly environment: LogEnvironment;
  readonly gate: AppendGate;
  readonly flushTimer: FlushTimer;
  readonly indexMemory: IndexMemory;
  readonly validation: ValidationResources;
  /** For lookups, which begin and end within one call. */
  readonly scanner: BatchScanner;
  /** `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs: number;
}

/** Kafka's default of `producer.id.expiration.ms`. */
export const PRODUCER_ID_EXPIRATION_MS = 86_400_000;
/** Bytes a lookup or a recovery reads at once, and the largest batch that is looked at whole without a buffer of its own. */
const CHUNK_BYTES = 256 * 1024;

/** Resources for the logs of one manager. */
export function newResources(
  environment: LogEnvironment,
  producerIdExpirationMs = PRODUCER_ID_EXPIRATION_MS,
  maxIndexBytes = MAX_INDEX_BYTES,
): LogResources {
  return {
    environment,
    gate: new AppendGate(),
    flushTimer: new FlushTimer(environment.clock),
    indexMemory: new IndexMemory(maxIndexBytes),
    validation: {
      compute: environment.compute,
      budget: new BlockBudget(MAX_BLOCK_BYTES_HELD),
      defer: (callback) => environment.clock.defer(callback),
    },
    scanner: newScanner(),
    producerIdExpirationMs,
  };
}

/** A scanner with a buffer of its own, for work that is interrupted between two steps. */
export function newScanner(): BatchScanner {
  return new BatchScanner(Buffer.allocUnsafe(CHUNK_BYTES));
}
