import type { Random } from '../../src/base/random.ts';

/** The weather of a network. */
export interface NetworkWeather {
  readonly dropChance: number;
  readonly duplicateChance: number;
  /** Chance that a message is late, by up to `lateMs`: others overtake it. */
  readonly lateChance: number;
  readonly lateMs: number;
}

/** Nothing is lost, and hardly anything late. */
export const FAIR: NetworkWeather = { dropChance: 0, duplicateChance: 0, lateChance: 0, lateMs: 0 };

/** Who hears whom, and how fast. */
export class Network {
  weather: NetworkWeather = FAIR;
  /** `from-to` of what does not get through. */
  readonly #cut = new Set<string>();
  /** By `from-to`: how many ms everything takes longer. */
  readonly #slow = new Map<string, number>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Delays after which a message arrives: none when it is lost, two when it is duplicated. */
  delays(from: number, to: number): readonly number[] {
    const { weather } = this;
    const random = this.#random;
    const link = `${from}-${to}`;
    if (this.#cut.has(link) || (weather.dropChance > 0 && random.chance(weather.dropChance))) return [];
    const first = this.#delay(link);
    if (weather.duplicateChance === 0 || !random.chance(weather.duplicateChance)) return [first];
    return [first, this.#delay(link) + random.below(500)];
  }

  cut(from: number, to: number): void {
    this.#cut.add(`${from}-${to}`);
  }

  /** Nobody and `id` hear each other. */
  isolate(id: number, others: Iterable<number>): void {
    for (const other of others) {
      this.cut(id, other);
      this.cut(other, id);
    }
  }

  isCut(from: number, to: number): boolean {
    return this.#cut.has(`${from}-${to}`);
  }

  slow(from: number, to: number, byMs: number): void {
    this.#slow.set(`${from}-${to}`, byMs);
  }

  /** All links are whole and fast again; the weather stays. */
  heal(): void {
    this.#cut.clear();
    this.#slow.clear();
  }

  #delay(link: string): number {
    const random = this.#random;
    const { lateChance, lateMs } = this.weather;
    const late = lateChance > 0 && random.chance(lateChance) ? random.below(lateMs) : 0;
    return 1 + random.below(8) + late + (this.#slow.get(link) ?? 0);
  }
}
