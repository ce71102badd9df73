import { Consumer } from '../../src/client/consumer.ts';
import { numberedValue } from '../harness/numbered-records.ts';
import { realPorts } from '../harness/own-client.ts';
import type { Writer } from './writer.ts';

const TIMEOUT_MS = 60_000;
const DIGITS = 12;

/**
 * Reads a writer's partition from `fromOffset` to its present end and compares. Every record must be whole and at the next offset; what was acknowledged before the call must be there, at its
 * offset; of an idempotent writer the record at each offset is that of the same number: none is missing, doubled or out of place.
 * @returns offset up to which all is right
 * @throws Error that says what is wrong
 */
export async function verify(writer: Writer, bootstrap: string, fromOffset: number): Promise<number> {
  const { topic, partition, idempotent } = writer.plan;
  const name = `${topic}-${partition}`;
  const due = new Map(writer.acknowledged);
  const { ports, close } = realPorts();
  const consumer = new Consumer(ports, { bootstrap: [bootstrap] });
  consumer.assign([{ topic, partition, offset: fromOffset }]);
  const deadlineMs = performance.now() + TIMEOUT_MS;
  let next = fromOffset;
  try {
    for (let end = -1; end < 0 || next < end; ) {
      if (performance.now() > deadlineMs) throw new Error(`${name} cannot be read past ${next}`);
      for (const { records } of await consumer.fetch(500)) {
        for (const { offset, value } of records) {
          if (offset !== next) throw new Error(`${name}: offset ${offset} came where ${next} was due`);
          const number = numberOf(value);
          if (number === null)
            throw new Error(`${name}: the record at ${offset} is not one that was written`);
          const wanted = idempotent ? offset : (due.get(offset) ?? number);
          if (number !== wanted)
            throw new Error(`${name}: record ${number} at ${offset} in place of ${wanted}`);
          due.delete(offset);
          writer.acknowledged.delete(offset);
          next++;
        }
      }
      if (end < 0) end = consumer.highWatermark(topic, partition);
    }
  } finally {
    consumer.close();
    await close();
  }
  for (const [offset, number] of due) {
    if (offset >= fromOffset)
      throw new Error(`${name}: record ${number}, acknowledged at ${offset}, is lost (the end is ${next})`);
  }
  return next;
}

/** Number of a record, null if its value is not just what was written. */
function numberOf(value: Buffer | null): number | null {
  const number = Number(value?.toString('latin1', 0, DIGITS));
  return value !== null && Number.isSafeInteger(number) && numberedValue(number).equals(value)
    ? number
    : null;
}
