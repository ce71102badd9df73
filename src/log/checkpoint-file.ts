/**
 * Kafka's text checkpoints (formats §13): line 1 the version `0`, line 2 the number of entries, then one entry per line, a newline after every line.
 * An empty file has no entries.
 */

/** A checkpoint or another small file does not have the form it should. */
export class CheckpointFormatError extends Error {
  override readonly name = 'CheckpointFormatError';
}

const VERSION = '0';

/** An offset of one partition, in the checkpoints of a log directory. */
export interface OffsetEntry {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** An entry of `leader-epoch-checkpoint`. */
export interface EpochEntry {
  readonly epoch: number;
  readonly startOffset: number;
}

/** The text of an offset checkpoint. */
export function formatOffsetCheckpoint(entries: readonly OffsetEntry[]): string {
  return format(entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`));
}

/** @throws CheckpointFormatError */
export function parseOffsetCheckpoint(text: string): OffsetEntry[] {
  return parse(text, 3).map(([topic = '', partition = '', offset = '']) => ({
    topic,
    partition: integer(partition),
    offset: integer(offset),
  }));
}

/** The text of a leader epoch checkpoint. */
export function formatEpochCheckpoint(entries: readonly EpochEntry[]): string {
  return format(entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`));
}

/** @throws CheckpointFormatError, also if epochs or offsets do not increase */
export function parseEpochCheckpoint(text: string): EpochEntry[] {
  const entries = parse(text, 2).map(([epoch = '', startOffset = '']) => ({
    epoch: integer(epoch),
    startOffset: integer(startOffset),
  }));
  entries.reduce(
    (former, entry) => {
      if (entry.epoch <= former.epoch || entry.startOffset <= former.startOffset) {
        throw new CheckpointFormatError(`epoch ${entry.epoch} at ${entry.startOffset} is out of order`);
      }
      return entry;
    },
    { epoch: -1, startOffset: -1 },
  );
  return entries;
}

function format(lines: readonly string[]): string {
  return [VERSION, String(lines.length), ...lines, ''].join('\n');
}

function parse(text: string, fields: number): string[][] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const [version = '', count = '', ...entries] = lines;
  if (version !== VERSION) throw new CheckpointFormatError(`unknown version ${JSON.stringify(version)}`);
  if (integer(count) !== entries.length) {
    throw new CheckpointFormatError(`${entries.length} entries instead of ${count}`);
  }
  return entries.map((line) => {
    const parts = line.split(/[ \t]+/);
    if (parts.length !== fields) throw new CheckpointFormatError(`malformed line ${JSON.stringify(line)}`);
    return parts;
  });
}

function integer(text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new CheckpointFormatError(`not a number: ${JSON.stringify(text)}`);
  }
  return value;
}
