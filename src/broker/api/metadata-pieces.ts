/** A Metadata answer that is too large for one turn of the loop. */
import type { Steps } from '../../log/steps.ts';
import { TopicImage } from '../../metadata/topics-image.ts';
import { responseHead } from '../../protocol/headers.ts';
import { MetadataResponse } from '../../protocol/messages/metadata.ts';
import type { InputOf } from '../../protocol/schema.ts';
import { elementSpec, SplitEncoding } from '../../protocol/split-encoding.ts';

/** Most topics and partitions of an answer that are described and encoded without a break: about a millisecond's work. */
export const MAX_PARTITIONS_AT_ONCE = 500;
/** Pieces are put together to buffers of about this size. */
const PART_BYTES = 64 * 1024;

const WHOLE = new SplitEncoding(MetadataResponse, 'topics');
const TOPIC = new SplitEncoding(elementSpec(MetadataResponse, 'topics'), 'partitions');

type Response = InputOf<typeof MetadataResponse>;
type TopicAnswer = Response['topics'][number];

/** What is to be answered. */
export interface LargeAnswer {
  /** Everything but the topics. */
  readonly envelope: Response;
  readonly version: number;
  readonly correlationId: number;
  /** Topics there are, and answers for those that there are not. */
  readonly items: readonly (TopicImage | TopicAnswer)[];
  /** What is said of a topic, with its partitions of `[from, end)`. */
  readonly describe: (topic: TopicImage, from: number, end: number) => TopicAnswer;
  /** True once nobody waits for it. */
  readonly isCancelled: () => boolean;
}

/** Encodes the whole frame; null if it was cancelled. */
export function* encodeInSteps(answer: LargeAnswer): Steps<Buffer[] | null> {
  const { envelope, version, correlationId, items } = answer;
  const parts = new Gathering();
  parts.add(WHOLE.head(version, envelope, items.length));
  let sinceBreak = 0;
  for (const item of items) {
    if (item instanceof TopicImage && item.partitionCount > MAX_PARTITIONS_AT_ONCE) {
      yield* encodeLargeTopic(answer, item, parts);
      if (answer.isCancelled()) return null;
    } else if (item instanceof TopicImage) {
      parts.add(WHOLE.elements(version, [answer.describe(item, 0, item.partitionCount)]));
      sinceBreak += item.partitionCount;
    } else {
      parts.add(WHOLE.elements(version, [item]));
    }
    if (++sinceBreak < MAX_PARTITIONS_AT_ONCE) continue;
    sinceBreak = 0;
    yield;
    if (answer.isCancelled()) return null;
  }
  parts.add(WHOLE.tail(version, envelope));
  const body = parts.finish();
  const bodyBytes = body.reduce((sum, { length }) => sum + length, 0);
  return [responseHead({ response: MetadataResponse }, version, correlationId, bodyBytes), ...body];
}

function* encodeLargeTopic(answer: LargeAnswer, topic: TopicImage, parts: Gathering): Steps<void> {
  const { version, describe } = answer;
  const named = describe(topic, 0, 0);
  const { partitionCount } = topic;
  parts.add(TOPIC.head(version, named, partitionCount));
  for (let from = 0; from < partitionCount; from += MAX_PARTITIONS_AT_ONCE) {
    const end = Math.min(from + MAX_PARTITIONS_AT_ONCE, partitionCount);
    parts.add(TOPIC.elements(version, describe(topic, from, end).partitions));
    yield;
    if (answer.isCancelled()) return;
  }
  parts.add(TOPIC.tail(version, named));
}

/** Puts small pieces together: a connection sends few large buffers better than many small ones. */
class Gathering {
  readonly #parts: Buffer[] = [];
  #pieces: Buffer[] = [];
  #bytes = 0;

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes >= PART_BYTES) this.#close();
  }

  finish(): Buffer[] {
    if (this.#bytes > 0) this.#close();
    return this.#parts;
  }

  #close(): void {
    this.#parts.push(Buffer.concat(this.#pieces));
    this.#pieces = [];
    this.#bytes = 0;
  }
}
