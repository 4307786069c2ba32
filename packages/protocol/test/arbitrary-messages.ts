// Arbitrary messages of any API, direction and version, made from the literals, as decoding must return them.
import * as fc from 'fast-check'
import type { Api, Field, Fields } from '../src/schema/dsl.ts'
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
  switch (field.type) {
    case 'array':
      return []
    case 'struct':
      return Object.fromEntries(Object.entries(field.fields).map(([name, child]) => [name, defaultOf(child)]))
    case 'string':
      return ''
    case 'uuid':
      return 'AAAAAAAAAAAAAAAAAAAAAA'
    case 'bool':
      return false
    case 'bytes':
      return new Uint8Array(0)
    case 'records':
      return null
    case 'big64':
      return 0n
    case 'int8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'int64':
    case 'float64':
      return 0
  }
}

function arbitraryField(field: Field, version: number): fc.Arbitrary<unknown> {
  const nullable = field.nullable === true || (field.nullable !== undefined && inVersions(field.nullable, version))
  const value = arbitraryValue(field, version)
  return nullable ? fc.option(value, { nil: null, freq: 4 }) : value
}

function arbitraryValue(field: Field, version: number): fc.Arbitrary<unknown> {
  switch (field.type) {
    case 'array':
      return fc.array(arbitraryField(field.of, version), { maxLength: 3 })
    case 'struct':
      return arbitraryMessage(field.fields, version)
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 150 })
    case 'uuid':
      return fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => uuidText(bytes, 0))
    case 'bool':
      return fc.boolean()
    case 'bytes':
    case 'records':
      return fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(new Uint8Array(2_000).fill(7)))
    case 'big64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'int8':
      return fc.integer({ min: -128, max: 127 })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'int64':
      return fc.maxSafeInteger().filter((value) => Math.abs(value) < Number.MAX_SAFE_INTEGER)
    case 'float64':
      return fc.double({ noNaN: true })
  }
}
