// Arbitrary messages of any API, direction and version, made from the literals, as decoding must return them.
import * as fc from 'fast-check'
import type { Api, Field, Fields, ScalarType } from '../src/schema/dsl.ts'
import { scalars } from '../src/schema/scalars.ts'
import { inVersions } from '../src/schema/versions.ts'
import { uuidText } from '../src/wire/uuid.ts'

export function versionsOf(api: Api): readonly number[] {
  const [min, max] = api.versions
  return Array.from({ length: max - min + 1 }, (_, index) => min + index)
}

/** A message as the decoder returns it: every field is there, and has its default if the version lacks it. */
export function arbitraryMessage(fields: Fields, version: number): fc.Arbitrary<object> {
  return fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [
        name,
        inVersions(field.versions, version) ? arbitraryField(field, version) : fc.constant(defaultOf(field)),
      ]),
    ),
  )
}

export function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default
  if (field.type === 'array') return []
  if (field.type !== 'struct') return scalars[field.type].zero
  return Object.fromEntries(Object.entries(field.fields).map(([name, child]) => [name, defaultOf(child)]))
}

function arbitraryField(field: Field, version: number): fc.Arbitrary<unknown> {
  const nullable = field.nullable === true || (field.nullable !== undefined && inVersions(field.nullable, version))
  const value = arbitraryValue(field, version)
  return nullable ? fc.option(value, { nil: null, freq: 4 }) : value
}

function arbitraryValue(field: Field, version: number): fc.Arbitrary<unknown> {
  if (field.type === 'array') return fc.array(arbitraryField(field.of, version), { maxLength: 3 })
  return field.type === 'struct' ? arbitraryMessage(field.fields, version) : arbitraryScalars[field.type]
}

const octets = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(new Uint8Array(2_000).fill(7)))
const arbitraryScalars: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  int64: fc.maxSafeInteger().filter((value) => Math.abs(value) < Number.MAX_SAFE_INTEGER),
  big64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double({ noNaN: true }),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => uuidText(bytes, 0)),
  string: fc.string({ unit: 'binary', maxLength: 150 }),
  bytes: octets,
  records: octets,
}
