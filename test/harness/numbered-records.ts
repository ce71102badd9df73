import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Size of one numbered record, in bytes. */
export const NUMBERED_RECORD_BYTES = 1_024;

const DIGITS = 12;

/** Printable bytes that the fillers are cut from; without newlines, because a line is a record for the console tools. */
const FILLER = makeFiller(8_192);

/**
 * Value of record `number`: twelve digits, a space, and a filler that differs from its neighbours', so that a record in the wrong
 * place or with another's end is noticed. Owned by the caller.
 */
export function numberedValue(number: number): Buffer {
  const out = Buffer.allocUnsafe(NUMBERED_RECORD_BYTES);
  writeNumberedValue(out, 0, number);
  return out;
}

/** True if `value` is the value of record `number`. */
export function isNumberedValue(value: Buffer | null, number: number): boolean {
  if (value === null || value.length !== NUMBERED_RECORD_BYTES) return false;
  writeNumberedValue(scratch, 0, number);
  return value.equals(scratch);
}

const scratch = Buffer.alloc(NUMBERED_RECORD_BYTES);

/** Writes a file of the records `0 … count - 1`, one a line. */
export function writeNumberedFile(path: string, count: number): void {
  const lineBytes = NUMBERED_RECORD_BYTES + 1;
  const linesPerChunk = 1_000;
  const chunk = Buffer.alloc(lineBytes * linesPerChunk);
  const file = openSync(path, 'w');
  try {
    for (let first = 0; first < count; first += linesPerChunk) {
      const lines = Math.min(linesPerChunk, count - first);
      for (let i = 0; i < lines; i++) {
        writeNumberedValue(chunk, i * lineBytes, first + i);
        chunk[i * lineBytes + NUMBERED_RECORD_BYTES] = 0x0a;
      }
      writeAll(file, chunk.subarray(0, lines * lineBytes));
    }
  } finally {
    closeSync(file);
  }
}

/**
 * Compares two files of lines.
 * @returns null when they are equal byte for byte, else a sentence with the number of the first record that differs.
 */
export function differenceOfFiles(expectedPath: string, actualPath: string): string | null {
  const expected = openSync(expectedPath, 'r');
  const actual = openSync(actualPath, 'r');
  const chunkBytes = 1 << 20;
  const a = Buffer.alloc(chunkBytes);
  const b = Buffer.alloc(chunkBytes);
  try {
    let position = 0;
    for (;;) {
      const aBytes = readFully(expected, a, position);
      const bBytes = readFully(actual, b, position);
      const common = Math.min(aBytes, bBytes);
      if (a.compare(b, 0, common, 0, common) !== 0) {
        let i = 0;
        while (a[i] === b[i]) i++;
        return differenceAt(position + i, b.subarray(i, Math.min(common, i + 40)));
      }
      if (aBytes !== bBytes) {
        return `${actualPath} is ${aBytes > bBytes ? 'shorter' : 'longer'} than expected: it ends or goes on in record ${recordAt(position + common)}`;
      }
      if (aBytes < chunkBytes) return null;
      position += aBytes;
    }
  } finally {
    closeSync(expected);
    closeSync(actual);
  }
}

function differenceAt(position: number, found: Buffer): string {
  return `byte ${position} differs, in record ${recordAt(position)}: found ${JSON.stringify(found.toString('latin1'))}`;
}

function recordAt(position: number): number {
  return Math.floor(position / (NUMBERED_RECORD_BYTES + 1));
}

function writeNumberedValue(target: Buffer, start: number, number: number): void {
  let rest = number;
  for (let i = DIGITS - 1; i >= 0; i--) {
    target[start + i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  target[start + DIGITS] = 0x20;
  const fillerBytes = NUMBERED_RECORD_BYTES - DIGITS - 1;
  const from = (number * 37) % (FILLER.length - fillerBytes);
  FILLER.copy(target, start + DIGITS + 1, from, from + fillerBytes);
}

function makeFiller(lengthBytes: number): Buffer {
  const alphabet = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/';
  const out = Buffer.alloc(lengthBytes);
  let state = 0x2545f491;
  for (let i = 0; i < lengthBytes; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out[i] = alphabet.charCodeAt(state & 63);
  }
  return out;
}

function readFully(file: number, target: Buffer, position: number): number {
  let done = 0;
  while (done < target.length) {
    const count = readSync(file, target, done, target.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function writeAll(file: number, bytes: Buffer): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(file, bytes, done);
}
