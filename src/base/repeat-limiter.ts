import { LineLogger, type LogFields, type Logger, type LogLevel } from './logger.ts';

/** How often the same line may appear. */
export interface RepeatLimits {
  /** Lines with the same level and message that pass in one interval. */
  readonly maxPerInterval: number;
  readonly intervalMs: number;
  /** Different messages that are counted at once; past it the one that was begun first is forgotten. */
  readonly maxMessages?: number;
  /** Never going back, ms. */
  readonly monotonicMs: () => number;
}

/** A logger that holds repeated lines back. */
export interface RepeatLimiter {
  readonly logger: Logger;
  /** Tells now what was held back in intervals still open; for a shutdown. */
  flush(): void;
}

interface Repeats {
  readonly level: LogLevel;
  readonly message: string;
  readonly startedMs: number;
  lines: number;
}

const DEFAULT_MAX_MESSAGES = 256;

/**
 * Keeps a client that misbehaves from flooding the log: of the lines with the same level and message (whatever their fields) only the
 * first few of
 * each interval pass. The number held back is told with the message when it next passes, or when another line is written after the
 * interval.
 * Messages must be constant sentences for this to work. Children share the counts.
 */
export function limitRepeats(target: Logger, limits: RepeatLimits): RepeatLimiter {
  /** In order of the intervals' starts: a repeat begins anew at the end of the map. */
  const open = new Map<string, Repeats>();
  const maxMessages = limits.maxMessages ?? DEFAULT_MAX_MESSAGES;

  function close(key: string, repeats: Repeats): void {
    open.delete(key);
    const suppressed = repeats.lines - limits.maxPerInterval;
    if (suppressed > 0) {
      target[repeats.level]('Held back repeated lines', { line: repeats.message, suppressed });
    }
  }

  function closeExpired(nowMs: number): void {
    for (const [key, repeats] of open) {
      if (nowMs - repeats.startedMs < limits.intervalMs) return;
      close(key, repeats);
    }
  }

  function write(level: LogLevel, message: string, inherited: LogFields, fields?: LogFields): void {
    const nowMs = limits.monotonicMs();
    closeExpired(nowMs);
    const key = `${level} ${message}`;
    let repeats = open.get(key);
    if (repeats === undefined) {
      for (const [oldest, oldestRepeats] of open) {
        if (open.size < maxMessages) break;
        close(oldest, oldestRepeats);
      }
      repeats = { level, message, startedMs: nowMs, lines: 0 };
      open.set(key, repeats);
    }
    if (++repeats.lines <= limits.maxPerInterval) target[level](message, { ...inherited, ...fields });
  }

  return {
    logger: new LineLogger({}, write),
    flush() {
      for (const [key, repeats] of open) close(key, repeats);
    },
  };
}
