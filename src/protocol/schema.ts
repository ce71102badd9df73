import type { Uuid } from '../base/uuid.ts';

/**
 * The notation in which every message and record is written down, once for all its versions:
 *
 *     export const HeartbeatRequest = message(
 *       { name: 'HeartbeatRequest', kind: 'request', apiKey: 12, versions: '0-4', flexible: '4+' },
 *       () => ({
 *         groupId: string('0+', { entityType: 'groupId' }),
 *         generationId: int32('0+'),
 *         memberId: string('0+'),
 *         groupInstanceId: string('3+', { nullable: '3+', default: null }),
 *       }),
 *     );
 *     export type HeartbeatRequest = MessageOf<typeof HeartbeatRequest>;
 *
 * Order is wire order. Version ranges are Kafka's: `'2+'`, `'0-3'`, `'1'`, `'none'`. A field without a
 * `default` has that of its type: 0, false, '', no bytes, the zero uuid, no elements, a struct of defaults;
 * `records` has null. Nothing is evaluated until a codec of the message is first asked for (see `codec.ts`).
 */

/** A range of versions: `'2+'` (open), `'0-3'` (both inclusive), `'1'`, `'none'`. */
export type Versions = string;

/** What kind of thing a field names; no effect on the wire. */
export type EntityType = 'topicName' | 'groupId' | 'transactionalId' | 'producerId' | 'brokerId';

/**
 * The default of `FetchRequest`'s high watermark: Java's `Long.MAX_VALUE`, the only int64 past 2^53 that a
 * number stands for (2^63).
 */
export const MAX_INT64 = 2 ** 63;

/** Bytes that are sent from where they lie; `FileRange` of the disk port is one. */
export interface RecordsRange {
  readonly lengthBytes: number;
}

/** What may be written into a `records` field: bytes, a range, or several of them one after the other. */
export type RecordsInput = Buffer | RecordsRange | readonly (Buffer | RecordsRange)[];

/** A tagged field that the schema does not know, kept so that it can be passed on. */
export interface UnknownTaggedField {
  readonly tag: number;
  readonly data: Buffer;
}

/** The types of wire values by the schema's name for them: what decoding gives. */
export interface DecodedTypes {
  bool: boolean;
  int8: number;
  int16: number;
  uint16: number;
  int32: number;
  uint32: number;
  /** A safe integer; anything past ±2^53 is a ProtocolError. */
  int64: number;
  /** An int64 whose whole range is in use: hashes, record timestamps. */
  wideInt64: bigint;
  float64: number;
  string: string;
  uuid: Uuid;
  /** A copy of the bytes. */
  bytes: Buffer;
  /** A view of the decoded buffer. */
  records: Buffer;
}

/** What encoding takes, where it takes more than decoding gives. */
interface InputTypes extends Omit<DecodedTypes, 'wideInt64' | 'records'> {
  wideInt64: bigint | number;
  records: RecordsInput;
}

/** Schema name of a primitive type. */
export type PrimitiveName = keyof DecodedTypes;

/** What a field's schema says besides type and versions. */
export interface FieldOptions<T> {
  /** Versions in which null may be on the wire. */
  readonly nullable?: Versions;
  /** The field stands in the tagged section, under this tag, in all its versions. */
  readonly tag?: number;
  /** Value where the wire has none. */
  readonly default?: T | null;
  /** A value that a version cannot carry is dropped silently instead of being an error. */
  readonly ignorable?: true;
  /** The field is (part of) the key by which Kafka holds the array's elements; no effect on the wire. */
  readonly mapKey?: true;
  readonly entityType?: EntityType;
  /** Kafka passes these bytes on without a copy; no effect on the wire. */
  readonly zeroCopy?: true;
  /** Overrides the message's flexible versions for this field. */
  readonly flexible?: 'none';
}

/** A field as the codec compiler sees it. */
export interface FieldSpec {
  readonly type: PrimitiveName | 'array' | 'struct';
  /** Of an array: what it holds. Of a struct: the struct. */
  readonly element: PrimitiveName | StructSpec | null;
  readonly versions: Versions;
  readonly options: FieldOptions<unknown>;
}

/** A struct as the codec compiler sees it. */
export interface StructSpec {
  readonly name: string;
  /** Versions of a struct that is shared by several fields; null for one that stands in its field. */
  readonly versions: Versions | null;
  readonly fields: Readonly<Record<string, FieldSpec>>;
}

/**
 * A field with its static types. `Value` is what decoding gives, `Input` what encoding takes, `Required`
 * whether encoding must be given it. The three phantom properties exist only for the type checker.
 */
export interface Field<Value, Input, Required extends boolean> extends FieldSpec {
  readonly valueType: Value;
  readonly inputType: Input;
  readonly required: Required;
}

type AnyField = Field<unknown, unknown, boolean>;
type Fields = Readonly<Record<string, AnyField>>;

/** A struct with the static types of its fields. */
export interface Struct<F extends Fields> extends StructSpec {
  readonly fields: F;
}

/** What a message is for, by Kafka's names. */
export type MessageKind =
  | 'request'
  | 'response'
  | 'header'
  | 'data'
  | 'metadata'
  | 'coordinator-key'
  | 'coordinator-value';

/** The listeners an API is served on. */
export type ListenerKind = 'broker' | 'controller';

/** The head of a message's schema. */
export interface MessageHead {
  readonly name: string;
  readonly kind: MessageKind;
  /** API key of a request or response; type number of a record. */
  readonly apiKey?: number;
  readonly listeners?: readonly ListenerKind[];
  readonly versions: Versions;
  readonly flexible: Versions;
  /** The highest version is not served unless unstable versions are switched on. */
  readonly latestVersionUnstable?: true;
}

/** A message's schema whatever its fields: what tables and the compiler hold. */
export interface MessageSpec extends MessageHead {
  /** The fields in wire order; evaluated once, on the first call. */
  fields(): Readonly<Record<string, FieldSpec>>;
}

/** A message's schema with its static types. */
export interface MessageSchema<F extends Fields> extends MessageSpec {
  fields(): F;
}

type DecodedStruct<F extends Fields> = { -readonly [K in keyof F]: F[K]['valueType'] } & TaggedSection;

type InputStruct<F extends Fields> = {
  readonly [K in keyof F as F[K]['required'] extends true ? K : never]: F[K]['inputType'];
} & {
  readonly [K in keyof F as F[K]['required'] extends true ? never : K]?: F[K]['inputType'] | undefined;
} & Readonly<TaggedSection>;

/** Every struct of a flexible version may carry fields that this schema does not know. */
type TaggedSection = { unknownTaggedFields?: readonly UnknownTaggedField[] | undefined };

/** A message of which only the schema's value is known, as in dispatch tables. */
export type UntypedMessage = Record<string, unknown>;

/** The type of a decoded message: every field of every version, with its default where the version lacks it. */
export type MessageOf<S extends MessageSpec> =
  S extends MessageSchema<infer F> ? DecodedStruct<F> : UntypedMessage;

/**
 * The type of a message to be encoded. A field may be left out, and then has its default, when the schema
 * states a default, when it is tagged or ignorable, and when it is not in every version from 0 on.
 */
export type InputOf<S extends MessageSpec> =
  S extends MessageSchema<infer F> ? InputStruct<F> : Readonly<UntypedMessage>;

type OrNull<T, O> = O extends { readonly nullable: string } ? T | null : T;

type IsRequired<V, O> = V extends '0+'
  ? O extends { readonly default: unknown } | { readonly tag: number } | { readonly ignorable: true }
    ? false
    : true
  : false;

type PrimitiveField<N extends PrimitiveName, V, O> = Field<
  OrNull<DecodedTypes[N], O>,
  OrNull<InputTypes[N], O>,
  IsRequired<V, O>
>;

type PrimitiveBuilder<N extends PrimitiveName> = <
  const V extends Versions,
  const O extends FieldOptions<DecodedTypes[N]> = NoOptions,
>(
  versions: V,
  options?: O,
) => PrimitiveField<N, V, O>;

const NO_OPTIONS: FieldOptions<unknown> = {};

/** The phantom types of a field are the caller's word; the value is only the spec. */
function field<F>(spec: FieldSpec): F {
  return spec as unknown as F;
}

function primitive<N extends PrimitiveName>(type: N): PrimitiveBuilder<N> {
  return (versions, options) => field({ type, element: null, versions, options: options ?? NO_OPTIONS });
}

/** One byte, 0 or not. */
export const bool = primitive('bool');
/** A signed 8-bit integer. */
export const int8 = primitive('int8');
/** A signed 16-bit integer. */
export const int16 = primitive('int16');
/** An unsigned 16-bit integer. */
export const uint16 = primitive('uint16');
/** A signed 32-bit integer. */
export const int32 = primitive('int32');
/** An unsigned 32-bit integer. */
export const uint32 = primitive('uint32');
/** A signed 64-bit integer that must be a safe integer. */
export const int64 = primitive('int64');
/** A signed 64-bit integer of the full range. */
export const wideInt64 = primitive('wideInt64');
/** An IEEE 754 double. */
export const float64 = primitive('float64');
/** UTF-8 text of at most 32,767 bytes. */
export const string = primitive('string');
/** 16 bytes; in the program their text form. */
export const uuid = primitive('uuid');
/** Bytes that decoding copies. */
export const bytes = primitive('bytes');
/** Record batches, which decoding leaves where they are and encoding can send from where they are. */
export const records = primitive('records');

type ElementValue<E> = E extends PrimitiveName
  ? DecodedTypes[E]
  : E extends Struct<infer F>
    ? DecodedStruct<F>
    : never;

type ElementInput<E> = E extends PrimitiveName
  ? InputTypes[E]
  : E extends Struct<infer F>
    ? InputStruct<F>
    : never;

type ArrayField<E, V, O> = Field<
  OrNull<ElementValue<E>[], O>,
  OrNull<readonly ElementInput<E>[], O>,
  IsRequired<V, O>
>;
type StructField<F extends Fields, V, O> = Field<
  OrNull<DecodedStruct<F>, O>,
  OrNull<InputStruct<F>, O>,
  IsRequired<V, O>
>;
type NoOptions = Record<never, never>;

/** An array of primitives (by type name) or of a common struct. */
export function array<
  const V extends Versions,
  E extends PrimitiveName | Struct<Fields>,
  const O extends FieldOptions<never> = NoOptions,
>(versions: V, element: E, options?: O): ArrayField<E, V, O> {
  return field({ type: 'array', element, versions, options: options ?? NO_OPTIONS });
}

/** An array of structs that are used nowhere else. */
export function structs<
  const V extends Versions,
  F extends Fields,
  const O extends FieldOptions<never> = NoOptions,
>(versions: V, name: string, fields: F, options?: O): ArrayField<Struct<F>, V, O> {
  return array(versions, { name, versions: null, fields }, options);
}

/** A single common struct. */
export function single<
  const V extends Versions,
  F extends Fields,
  const O extends FieldOptions<never> = NoOptions,
>(versions: V, element: Struct<F>, options?: O): StructField<F, V, O> {
  return field({ type: 'struct', element, versions, options: options ?? NO_OPTIONS });
}

/** A single struct that is used nowhere else. */
export function nested<
  const V extends Versions,
  F extends Fields,
  const O extends FieldOptions<never> = NoOptions,
>(versions: V, name: string, fields: F, options?: O): StructField<F, V, O> {
  return single(versions, { name, versions: null, fields }, options);
}

/** Names a struct that several fields share. */
export function commonStruct<F extends Fields>(name: string, versions: Versions, fields: F): Struct<F> {
  return { name, versions, fields };
}

/** Writes down a message: its head, and its fields as a function so that loading the file costs nothing. */
export function message<F extends Fields>(head: MessageHead, fields: () => F): MessageSchema<F> {
  let evaluated: F | null = null;
  return { ...head, fields: () => (evaluated ??= fields()) };
}
