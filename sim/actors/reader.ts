import { ErrorCode, errorName } from '../../src/base/errors.ts';
import { FETCH, LIST_OFFSETS } from '../../src/client/apis.ts';
import type { FetchResponse } from '../../src/protocol/messages/fetch.ts';
import type { ReaderPlan } from '../scenario.ts';
import type { World } from '../world.ts';
import { parseBatches } from './batches.ts';
import { Peer, type PeerPorts } from './peer.ts';
import type { TopicFacts } from './topic-facts.ts';

const RETRY_MS = 25;
const EARLIEST = -2;

/** Follows one partition from offset 0, with or without a fetch session, and reports every record it is handed. */
export class ReaderActor {
  readonly plan: ReaderPlan;
  readonly #world: World;
  readonly #peer: Peer;
  readonly #topic: TopicFacts;
  #offset = 0;
  #session = { id: 0, epoch: 0 };
  #asking = false;

  constructor(plan: ReaderPlan, world: World, ports: PeerPorts, topic: TopicFacts) {
    this.plan = plan;
    this.#world = world;
    this.#topic = topic;
    this.#peer = new Peer(`reader-${plan.id}`, ports, () => this.#ask());
  }

  /** Where it goes on reading. */
  get offset(): number {
    return this.#offset;
  }

  /** Begins to read. */
  start(): void {
    this.#peer.start();
  }

  /** Ends it as it is. */
  stop(): void {
    this.#peer.stop();
  }

  /** Name of the host it runs on. */
  get host(): string {
    return this.#peer.ports.host;
  }

  /** Loses the connection. */
  dropConnection(): void {
    this.#peer.drop();
  }

  /** The log was cut at `end`: what it read above is no longer there. */
  rewind(end: number): void {
    this.#offset = Math.min(this.#offset, end);
  }

  #ask(): void {
    if (this.#asking) return;
    const offset = this.#offset;
    const { plan } = this;
    const askedMs = this.#peer.ports.clock.monotonicMs();
    const inSession = plan.session && this.#session.id !== 0;
    const sent = this.#peer.send(
      FETCH,
      () => ({
        maxWaitMs: plan.maxWaitMs,
        minBytes: 1,
        maxBytes: plan.maxBytes,
        sessionId: plan.session ? this.#session.id : 0,
        sessionEpoch: plan.session ? this.#session.epoch : -1,
        topics: [
          {
            topic: plan.topic,
            topicId: this.#topic.topicId,
            partitions: [
              { partition: plan.partition, fetchOffset: offset, partitionMaxBytes: plan.maxBytes },
            ],
          },
        ],
      }),
      { maxVersion: plan.fetchVersion },
      (response) => {
        this.#asking = false;
        if (response !== null) this.#lookAtStart(response, askedMs);
        const again = response !== null && this.#take(response, offset, inSession);
        if (!again) this.#session = { id: 0, epoch: 0 };
        if (response !== null && isBehind(response)) return this.#catchUp();
        this.#peer.later(again ? 1 : RETRY_MS, () => this.#ask());
      },
    );
    this.#asking = sent;
    if (!sent && !this.#peer.stopped) this.#peer.later(RETRY_MS, () => this.#ask());
  }

  #lookAtStart(response: FetchResponse, askedMs: number): void {
    const found = response.responses[0]?.partitions[0];
    if (found === undefined || found.errorCode !== ErrorCode.NONE || found.logStartOffset < 0) return;
    this.#world.emit({
      kind: 'told-start',
      partition: this.#name,
      start: found.logStartOffset,
      ends: found.highWatermark,
      askedMs,
    });
  }

  /** What it would read next is no longer there, or not yet: it goes on at the start of the log if that is further on. */
  #catchUp(): void {
    const again = (): void => this.#peer.later(RETRY_MS, () => this.#ask());
    const { topic, partition } = this.plan;
    const request = {
      replicaId: -1,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: EARLIEST }] }],
    };
    const askedMs = this.#peer.ports.clock.monotonicMs();
    this.#asking = this.#peer.send(
      LIST_OFFSETS,
      () => request,
      {},
      (response) => {
        this.#asking = false;
        const found = response?.topics[0]?.partitions[0];
        if (found?.errorCode === ErrorCode.NONE) {
          this.#world.emit({
            kind: 'told-start',
            partition: this.#name,
            start: found.offset,
            ends: null,
            askedMs,
          });
          this.#offset = Math.max(this.#offset, found.offset);
        }
        again();
      },
    );
    if (!this.#asking) again();
  }

  get #name(): string {
    return `${this.#topic.label}-${this.plan.partition}`;
  }

  /** @returns false when it went wrong and the session is to be made anew. */
  #take(response: FetchResponse, askedOffset: number, inSession: boolean): boolean {
    const name = this.#name;
    if (response.errorCode !== ErrorCode.NONE) {
      this.#world.note(`reader-${this.plan.id}: ${errorName(response.errorCode)}`);
      return false;
    }
    this.#session = { id: response.sessionId, epoch: inSession ? this.#session.epoch + 1 : 1 };
    const partition = response.responses[0]?.partitions[0];
    if (partition === undefined) return true;
    if (partition.errorCode !== ErrorCode.NONE) {
      this.#world.note(`reader-${this.plan.id} at ${askedOffset}: ${errorName(partition.errorCode)}`);
      return false;
    }
    if (this.#offset !== askedOffset) return true; // the log was cut meanwhile
    const parsed = parseBatches(partition.records ?? Buffer.alloc(0), askedOffset, this.#peer.ports.compute);
    for (const { offset, record } of parsed.records) {
      this.#world.emit({ kind: 'observed', partition: name, offset, record, durable: this.#topic.durable });
    }
    if (parsed.problem !== null)
      this.#world.emit({
        kind: 'unsound',
        partition: name,
        detail: `reader-${this.plan.id}: ${parsed.problem}`,
      });
    this.#offset = parsed.nextOffset;
    return true;
  }
}

function isBehind(response: FetchResponse): boolean {
  return response.responses[0]?.partitions[0]?.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE;
}
