import type { ConfigValue } from './values.ts';

/** What values a config takes beyond its type. */
export interface Rule {
  /** Kafka's notation, as its documents and tools show it: `[0,...]`. */
  readonly notation: string;
  /** The same in words, to follow "allowed: ". */
  readonly allowed: string;
  /** True if the value is allowed. Never asked about null. */
  accepts(value: ConfigValue): boolean;
}

/** A number of at least `min`. */
export function atLeast(min: number): Rule {
  return {
    notation: `[${min},...]`,
    allowed: `${min} or more`,
    accepts: (value) => typeof value === 'number' && value >= min,
  };
}

/** A number from `min` to `max`, both inclusive. */
export function between(min: number, max: number): Rule {
  return {
    notation: `[${min},...,${max}]`,
    allowed: `${min} to ${max}`,
    accepts: (value) => typeof value === 'number' && value >= min && value <= max,
  };
}

/** What `rule` takes, and one number more. */
export function orExactly(extra: number, rule: Rule): Rule {
  return {
    notation: `${rule.notation} or ${extra}`,
    allowed: `${rule.allowed}, or ${extra}`,
    accepts: (value) => value === extra || rule.accepts(value),
  };
}

/** One of some words, or a list of nothing but these; `notation` keeps the order they are given in. */
export function oneOf(...words: string[]): Rule {
  const known = new Set(words);
  return {
    notation: `[${words.join(', ')}]`,
    allowed: words.join(', '),
    accepts: (value) =>
      Array.isArray(value) ? value.every((item) => known.has(item)) : known.has(String(value)),
  };
}

/** One of some words, whatever their case. */
export function oneOfIgnoringCase(...words: string[]): Rule {
  const known = new Set(words.map((word) => word.toLowerCase()));
  return {
    notation: `(case insensitive) [${words.join(', ')}]`,
    allowed: words.join(', '),
    accepts: (value) => typeof value === 'string' && known.has(value.toLowerCase()),
  };
}

/** A text that is there, be it empty. */
export const nonNullString: Rule = { notation: 'non-null string', allowed: 'any text', accepts: () => true };

/** A text of at least one character. */
export const nonEmptyString: Rule = {
  notation: 'non-empty string',
  allowed: 'a text that is not empty',
  accepts: (value) => value !== '',
};

/** A list of at least one element, when it is given at all (the default may be empty). */
export const nonEmptyList: Rule = {
  notation: 'non-empty list',
  allowed: 'a list that is not empty',
  accepts: (value) => Array.isArray(value) && value.length > 0,
};

/** Replicas that a throttle is for: `partition:broker` pairs, or `*` alone. */
export const throttledReplicas: Rule = {
  notation: '[partitionId]:[brokerId],[partitionId]:[brokerId],...',
  allowed: '* or a list of partition:broker pairs',
  accepts: (value) =>
    Array.isArray(value) &&
    ((value.length === 1 && value[0] === '*') || value.every((pair) => /^\d+:\d+$/.test(pair))),
};

/** Where a share group begins. */
export const shareOffsetReset: Rule = {
  notation: '[latest, earliest, by_duration:PnDTnHnMn.nS]',
  allowed:
    'latest, earliest, or by_duration: and an ISO 8601 duration of days and less, like by_duration:PT1H30M',
  accepts: (value) =>
    value === 'latest' ||
    value === 'earliest' ||
    (typeof value === 'string' &&
      /^by_duration:P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/i.test(value)),
};
