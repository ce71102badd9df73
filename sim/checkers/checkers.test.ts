import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { SimulationEvent } from '../events.ts';
import { AcknowledgedIsKept } from './acknowledged-is-kept.ts';
import { type Checker, Violation } from './checker.ts';
import { LogStartIsKept } from './log-start-is-kept.ts';
import { NoDuplicates } from './no-duplicates.ts';
import { ObservedIsKept } from './observed-is-kept.ts';
import { OneValuePerOffset } from './one-value-per-offset.ts';
import { ProducerOrder } from './producer-order.ts';
import { SoundReads } from './sound-reads.ts';
import { StaysInItsTopic } from './stays-in-its-topic.ts';

const partition = 'topic-0';
const record = (number: number) => ({ producer: 0, number });
const acknowledged = (offset: number, number: number, durable = false): SimulationEvent => ({
  kind: 'acknowledged',
  partition,
  offset,
  record: record(number),
  durable,
});
const observed = (offset: number, number: number, durable = false): SimulationEvent => ({
  kind: 'observed',
  partition,
  offset,
  record: record(number),
  durable,
});
const cut = (end: number, cause: 'power' | 'truncation' = 'power'): SimulationEvent => ({
  kind: 'cut',
  partition,
  end,
  cause,
});
const audit = (...numbers: number[]): SimulationEvent => ({
  kind: 'audit',
  partition,
  start: 0,
  records: numbers.map((number, offset) => ({ offset, record: record(number) })),
});

function holds(checker: Checker, ...events: SimulationEvent[]): void {
  for (const event of events) checker.on(event);
}

function breaks(checker: Checker, ...events: SimulationEvent[]): void {
  assert.throws(
    () => holds(checker, ...events),
    (error: Error) => error instanceof Violation && error.invariant === checker.invariant,
  );
}

suite('the checkers', () => {
  test('notice an acknowledged record that is gone or another', () => {
    holds(new AcknowledgedIsKept(), acknowledged(0, 5), audit(5));
    breaks(new AcknowledgedIsKept(), acknowledged(0, 5), audit());
    breaks(new AcknowledgedIsKept(), acknowledged(0, 5), audit(6));
  });

  test('allow a loss of power to take a suffix of what was not durable, and nothing else', () => {
    holds(new AcknowledgedIsKept(), acknowledged(0, 5), acknowledged(1, 6), cut(1), audit(5));
    breaks(new AcknowledgedIsKept(), acknowledged(0, 5), acknowledged(1, 6), cut(2), audit(5));
    breaks(new AcknowledgedIsKept(), acknowledged(0, 5, true), cut(0));
    holds(new AcknowledgedIsKept(), acknowledged(0, 5, true), cut(0, 'truncation'), audit());
  });

  test('notice an offset with two values, unless the log was cut between', () => {
    holds(new OneValuePerOffset(), observed(0, 5), observed(0, 5), audit(5));
    breaks(new OneValuePerOffset(), observed(0, 5), observed(0, 6));
    breaks(new OneValuePerOffset(), acknowledged(0, 5), audit(6));
    holds(new OneValuePerOffset(), observed(0, 5), cut(0), observed(0, 6));
    breaks(new OneValuePerOffset(), observed(0, 5, true), cut(0));
  });

  test('notice records of a producer out of order', () => {
    holds(new ProducerOrder(), audit(1, 2, 5, 2, 6));
    breaks(new ProducerOrder(), audit(1, 5, 2));
    holds(new ProducerOrder(), { kind: 'abandoned', partition, record: record(2) }, audit(1, 5, 2));
  });

  test('notice an idempotent record that is there twice', () => {
    holds(new NoDuplicates(() => false), audit(1, 1));
    breaks(new NoDuplicates(() => true), audit(1, 1));
    breaks(new NoDuplicates(() => true), acknowledged(0, 5), observed(3, 5));
    holds(new NoDuplicates(() => true), acknowledged(0, 5), cut(0), observed(3, 5));
  });

  test('notice that what a reader saw is gone, unless it was lost or deleted', () => {
    holds(new ObservedIsKept(), observed(0, 5), audit(5));
    breaks(new ObservedIsKept(), observed(0, 5), observed(1, 6), audit(5));
    holds(new ObservedIsKept(), observed(0, 5), observed(1, 6), cut(1), audit(5));
    holds(new ObservedIsKept(), observed(0, 5), { ...audit(), start: 1 } as SimulationEvent);
  });

  test('notice a log that begins where nobody asked, or where something was deleted', () => {
    const asked = (offset: number): SimulationEvent => ({ kind: 'asked-to-delete', partition, offset });
    const deleted = (lowWatermark: number): SimulationEvent => ({
      kind: 'deleted',
      partition,
      lowWatermark,
      atMs: 5,
    });
    const told = (start: number, ends: number | null = null, askedMs = 9): SimulationEvent => ({
      kind: 'told-start',
      partition,
      start,
      ends,
      askedMs,
    });
    const byClients = () => new LogStartIsKept(() => false);
    const byBroker = () => new LogStartIsKept(() => true);
    holds(byClients(), told(0), asked(3), told(3), told(0), deleted(3), told(3, 3));
    holds(byClients(), asked(3), deleted(3), told(0, null, 4));
    breaks(byClients(), told(3));
    breaks(byClients(), asked(3), deleted(3), told(0));
    breaks(byClients(), asked(3), told(2));
    breaks(byClients(), asked(3), { ...audit(), start: 2 } as SimulationEvent);
    holds(byBroker(), told(2), told(0), told(7, 7));
    breaks(byBroker(), told(7, 6));
    breaks(byBroker(), asked(3), deleted(3), told(2));
  });

  test('excuse what is below the start of the log', () => {
    holds(new AcknowledgedIsKept(), acknowledged(0, 5, true), { ...audit(), start: 1 } as SimulationEvent);
  });

  test('notice a record of one topic in another', () => {
    const elsewhere: SimulationEvent = {
      kind: 'observed',
      partition: 'topic#1-0',
      offset: 0,
      record: record(5),
      durable: false,
    };
    holds(new StaysInItsTopic(), acknowledged(0, 5), observed(0, 5), audit(5));
    breaks(new StaysInItsTopic(), acknowledged(0, 5), elsewhere);
  });

  test('notice unsound bytes', () => {
    breaks(new SoundReads(), { kind: 'unsound', partition, detail: 'wrong crc' });
  });
});
