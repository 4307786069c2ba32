// The vocabulary of the API literals, and the TypeScript types that follow from a literal.
// Field names, types and version ranges are Kafka's own (common/message/*.json in the kafka-clients jar); test/e2e/kafka-json.test.ts compares them.

/** Kafka's notation: `3+`, `0-12`, `7`. */
export type Versions = `${number}+` | `${number}-${number}` | `${number}`

/** One API of Kafka: its number, versions and fields. */
export interface Api {
  readonly key: number
  readonly name: string
  /** The versions that can be decoded and encoded, both inclusive. */
  readonly versions: readonly [min: number, max: number]
  /** The range that ApiVersions advertises, if it differs: Produce advertises 0–2, which clients must not send. */
  readonly advertised?: readonly [min: number, max: number]
  /** The first version with compact lengths and tagged fields; `'never'` for the few APIs without one. */
  readonly flexible: number | 'never'
  readonly request: Fields
  readonly response: Fields
}

/** Fields by name, in the order of the wire. */
export interface Fields {
  readonly [name: string]: Field
}

export type Field = Scalar | ArrayField | StructField

export interface Scalar extends Options {
  readonly type: ScalarType
}
export interface ArrayField extends Options {
  readonly type: 'array'
  readonly of: Scalar | StructField
}
export interface StructField extends Options {
  readonly type: 'struct'
  readonly fields: Fields
}

/** `big64` is an int64 whose values leave the safe integers by design; it is a bigint. Every other int64 is a number, and rejected beyond 2^53. */
export type ScalarType =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'big64'
  | 'float64'
  | 'string'
  | 'uuid'
  | 'bytes'
  | 'records'

export interface Options {
  /** The versions that have the field; absent means all versions of its parent. */
  readonly versions?: Versions
  /** The versions that allow null. */
  readonly nullable?: true | Versions
  /** The value that a version without the field decodes to, and that an encoder may leave out. Without one: 0, '', [], false, the zero uuid; null for records. */
  readonly default?: number | bigint | string | boolean | null
  /** Kafka's taggedVersions are always the field's own versions. */
  readonly tag?: number
  /** A version that lacks the field drops any value silently. Without this, it drops only the default. Tagged fields are always dropped, because they are optional by design. */
  readonly ignorable?: true
  /** An int64 that is only compared (an offset or a timestamp to look for): beyond 2^53 it decodes to the nearest safe integer, whereas other fields reject the message. */
  readonly clamped?: true
}

/** Returns the literal with its exact type. */
export function api<const A extends Api>(literal: A): A {
  return literal
}

export const bool = scalar('bool')
export const int8 = scalar('int8')
export const int16 = scalar('int16')
export const uint16 = scalar('uint16')
export const int32 = scalar('int32')
export const int64 = scalar('int64')
export const big64 = scalar('big64')
export const float64 = scalar('float64')
export const string = scalar('string')
/** Kafka's text form: 22 characters of base64url. */
export const uuid = scalar('uuid')
export const bytes = scalar('bytes')
/** Record batches, opaque here. */
export const records = scalar('records')

export function struct<const F extends Fields>(fields: F): StructOf<F>
export function struct<const F extends Fields, const O extends Options>(fields: F, options: O): Given<O> & StructOf<F>
export function struct(fields: Fields, options?: Options): StructField {
  return { ...options, type: 'struct', fields }
}

/** An array of structs (given by their fields) or of scalars. */
export function array<const T extends Scalar>(of: T): ArrayOf<T>
export function array<const T extends Scalar, const O extends Options>(of: T, options: O): Given<O> & ArrayOf<T>
export function array<const F extends Fields>(of: F): ArrayOf<StructOf<F>>
export function array<const F extends Fields, const O extends Options>(of: F, options: O): Given<O> & ArrayOf<StructOf<F>>
export function array(of: Scalar | Fields, options?: Options): ArrayField {
  return { ...options, type: 'array', of: isScalar(of) ? of : { type: 'struct', fields: of } }
}

interface ScalarWord<T extends ScalarType> {
  (): { readonly type: T }
  <const O extends Options>(options: O): Given<O> & { readonly type: T }
}

function scalar<T extends ScalarType>(type: T): ScalarWord<T> {
  return ((options?: Options) => ({ ...options, type })) as ScalarWord<T>
}

/** A field that holds fields of its own. */
export interface StructOf<F extends Fields> {
  readonly type: 'struct'
  readonly fields: F
}
/** A field that holds a list of the same. */
export interface ArrayOf<T extends Scalar | StructField> {
  readonly type: 'array'
  readonly of: T
}
/** Only the options that were given, so that the derived types are exact. */
type Given<O extends Options> = { readonly [N in keyof O]: O[N] }

/** A struct may have a field called `type`; its value is not a string. */
function isScalar(of: Scalar | Fields): of is Scalar {
  return typeof of.type === 'string'
}

// ---- the types of messages ----------------------------------------------------------------------------------------------------------

/** A decoded request: every field is there, and has its default if the version lacks it. */
export type RequestOf<A extends Api> = Decoded<A['request']>
/** A response to encode. Fields with a default, tagged fields, and fields that some versions lack may be left out. */
export type ResponseOf<A extends Api> = Encodable<A['response']>
/** A request to encode, for tests and tools. */
export type RequestInputOf<A extends Api> = Encodable<A['request']>
/** A decoded response, for clients and tools. */
export type DecodedResponseOf<A extends Api> = Decoded<A['response']>

export type Decoded<F extends Fields> = string extends keyof F ? object : { readonly [N in keyof F]: DecodedField<F[N]> }

export type Encodable<F extends Fields> = string extends keyof F
  ? object
  : { readonly [N in keyof F as IsOptional<F[N]> extends true ? never : N]: EncodableField<F[N]> } & {
      readonly [N in keyof F as IsOptional<F[N]> extends true ? N : never]?: EncodableField<F[N]> | undefined
    }

type DecodedField<F> = OrNull<
  F,
  F extends { type: 'records' }
    ? Uint8Array
    : F extends { type: 'array'; of: infer E }
      ? readonly DecodedField<E>[]
      : F extends { type: 'struct'; fields: infer G extends Fields }
        ? Decoded<G>
        : ScalarValue<F>
>

type EncodableField<F> = OrNull<
  F,
  F extends { type: 'records' }
    ? Uint8Array | readonly Uint8Array[]
    : F extends { type: 'array'; of: infer E }
      ? readonly EncodableField<E>[]
      : F extends { type: 'struct'; fields: infer G extends Fields }
        ? Encodable<G>
        : ScalarValue<F>
>

type IsOptional<F> = F extends { default: unknown } | { tag: number } | { versions: Versions } ? true : false
type OrNull<F, T> = F extends { nullable: true | Versions } ? T | null : T
type ScalarValue<F> = F extends { type: infer T extends keyof ScalarValues } ? ScalarValues[T] : never

interface ScalarValues {
  bool: boolean
  int8: number
  int16: number
  uint16: number
  int32: number
  int64: number
  big64: bigint
  float64: number
  string: string
  uuid: string
  bytes: Uint8Array
}
