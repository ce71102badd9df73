import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SSD_LATENCY } from '../../sim/virtual/disk.ts';
import { ErrorCode, errorName } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import type { AppendOutcome } from './append-request.ts';
import { LogHarness, readAll } from './log-harness.test.ts';

/** A batch of a producer, sent until it is acknowledged. */
interface Sent {
  readonly bytes: Buffer;
  readonly values: string[];
  baseOffset: number | null;
}

/**
 * Idempotent producers with up to five batches in flight, that send everything again which was not answered or was answered with an error that may pass, as clients do. Whatever happens, each
 * record is in the log once and in the order of its producer.
 */
class Producer {
  readonly #harness: LogHarness;
  readonly #producerId: number;
  readonly #random: Random;
  #sequence: number;
  #unacknowledged: Sent[] = [];
  /** Counts the attempts; answers to older ones are lost like those of a broken connection. */
  #attempt = 0;
  readonly values: string[] = [];

  constructor(harness: LogHarness, producerId: number, random: Random) {
    this.#harness = harness;
    this.#producerId = producerId;
    this.#random = random;
    this.#sequence = random.pick([0, 0, 2147483640]);
  }

  get pending(): number {
    return this.#unacknowledged.length;
  }

  send(): void {
    if (this.#unacknowledged.length >= 5) return;
    const records = this.#harness.records(1 + this.#random.below(3), 8);
    const bytes = this.#harness.batch(records, {
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: this.#sequence,
    });
    this.#sequence = (this.#sequence + records.length) % 2147483648;
    const sent: Sent = {
      bytes,
      values: records.map((record) => record.value?.toString('hex') ?? ''),
      baseOffset: null,
    };
    this.#unacknowledged.push(sent);
    this.values.push(...sent.values);
    this.#transmit(sent);
  }

  /** Connects anew and sends again what is not acknowledged, in order. */
  resend(): void {
    this.#attempt++;
    for (const sent of this.#unacknowledged) this.#transmit(sent);
  }

  #transmit(sent: Sent): void {
    const attempt = this.#attempt;
    this.#harness.log().append(this.#harness.request(Buffer.from(sent.bytes)), (outcome) => {
      if (attempt === this.#attempt) this.#answered(sent, outcome);
    });
  }

  #answered(sent: Sent, outcome: AppendOutcome): void {
    const name = errorName(outcome.errorCode);
    // After a failure the batches behind the failed one are out of order: they are sent again with it.
    if (name === 'KAFKA_STORAGE_ERROR' || name === 'OUT_OF_ORDER_SEQUENCE_NUMBER') return;
    assert.equal(name, 'NONE', outcome.errorMessage ?? '');
    assert.equal(outcome.endOffset - outcome.baseOffset, sent.values.length);
    assert.ok(
      sent.baseOffset === null || sent.baseOffset === outcome.baseOffset,
      'a retry is told the same offset',
    );
    sent.baseOffset = outcome.baseOffset;
    this.#unacknowledged = this.#unacknowledged.filter((other) => other !== sent);
  }
}

function run(seed: number): void {
  const random = new Random(seed, 5);
  const harness = new LogHarness({
    seed,
    disk: { latency: SSD_LATENCY, shortWrites: 0.05 },
    config: { segmentBytes: 2500, indexIntervalBytes: 200 },
  }).open();
  const producers = [11, 12, 13].map((id) => new Producer(harness, id, random.fork()));
  const faults: (() => void)[] = [];
  for (let step = 0; step < 150; step++) {
    const roll = random.below(100);
    if (roll < 50) random.pick(producers).send();
    else if (roll < 65) harness.clock.runFor(random.below(1000) / 1000);
    else if (roll < 78) random.pick(producers).resend();
    else if (roll < 82)
      faults.push(harness.disk.faults.add({ operation: 'append', code: 'ENOSPC', probability: 0.4 }));
    else if (roll < 90) while (faults.length > 0) faults.pop()?.();
    else if (roll < 92) restart(harness, producers, () => harness.crash('process'));
    else if (roll < 94) {
      while (faults.length > 0) faults.pop()?.();
      restart(harness, producers, () => harness.close());
    }
    harness.log().checkInvariants();
  }
  while (faults.length > 0) faults.pop()?.();
  for (let round = 0; round < 20 && producers.some((producer) => producer.pending > 0); round++) {
    for (const producer of producers) producer.resend();
    harness.clock.runFor(50);
  }
  const values = readAll(harness.log()).map((record) => record.value);
  for (const producer of producers) {
    assert.equal(producer.pending, 0, 'everything is acknowledged in the end');
    const own = new Set(producer.values);
    assert.deepEqual(
      values.filter((value) => own.has(value)),
      producer.values,
    );
  }
  assert.equal(
    values.length,
    producers.reduce((sum, producer) => sum + producer.values.length, 0),
  );
}

function restart(harness: LogHarness, producers: readonly Producer[], stop: () => void): void {
  // A client whose five batches are all unknown to the log could not know whether the first is in: only the last batch survives in a snapshot.
  harness.whenIdle(harness.log());
  stop();
  harness.open();
  for (const producer of producers) producer.resend();
}

test('idempotent producers write each record once and in order, through retries, failing disks and restarts', () => {
  for (let seed = 0; seed < 40; seed++) {
    try {
      run(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
});

test('a retry that meets its first attempt on the way is answered like it, well or badly', () => {
  const harness = new LogHarness({ disk: { latency: { ...SSD_LATENCY, inlineAppends: 0 } } }).open();
  const log = harness.log();
  harness.produce(log, harness.batch(1));
  const batch = harness.batch(3, { producerId: 5, producerEpoch: 0, baseSequence: 0 });
  const outcomes: AppendOutcome[] = [];
  const send = (): void =>
    log.append(harness.request(Buffer.from(batch)), (outcome) => outcomes.push(outcome));
  const lift = harness.disk.faults.add({ operation: 'append', code: 'ENOSPC', times: 1 });
  send();
  send();
  assert.equal(outcomes.length, 0);
  harness.whenIdle(log);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.errorCode),
    [ErrorCode.KAFKA_STORAGE_ERROR, ErrorCode.KAFKA_STORAGE_ERROR],
  );
  lift();
  outcomes.length = 0;
  send();
  send();
  assert.equal(outcomes.length, 0);
  harness.whenIdle(log);
  send();
  assert.deepEqual(
    outcomes.map(({ errorCode, baseOffset, endOffset, duplicate }) => ({
      errorCode,
      baseOffset,
      endOffset,
      duplicate,
    })),
    [
      { errorCode: 0, baseOffset: 1, endOffset: 4, duplicate: false },
      { errorCode: 0, baseOffset: 1, endOffset: 4, duplicate: true },
      { errorCode: 0, baseOffset: 1, endOffset: 4, duplicate: true },
    ],
  );
  assert.equal(log.logEndOffset, 4);
});
