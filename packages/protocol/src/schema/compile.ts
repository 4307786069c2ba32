// Turns an API's literal and one version into straight-line source, once: a function that decodes and one that encodes.
// Only our own literals come here, and their names are checked; nothing of a message is ever part of the source.

import { ProtocolError } from '../wire/protocol-error.ts'
import { type Reader, unexpectedNull } from '../wire/reader.ts'
import { zeroUuid } from '../wire/uuid.ts'
import { Writer } from '../wire/writer.ts'
import type { Api, ArrayField, Field, Fields, Scalar, ScalarType, StructField } from './dsl.ts'
import { inVersions } from './versions.ts'

export type Decode = (reader: Reader) => object
export type Encode = (writer: Writer, message: object) => void

/** The decoder of one direction and version; compiled at its first use. The version must be one of the API's. */
export function decoder(api: Api, direction: 'request' | 'response', version: number): Decode {
  return once(decoders, api, direction, version, () => {
    const source = new Source(api, version)
    const root = source.decodeStruct(api[direction], `${api.name}.${direction}`)
    return source.compile(root, ['unexpectedNull'], [unexpectedNull]) as Decode
  })
}

/** The encoder of one direction and version; compiled at its first use. */
export function encoder(api: Api, direction: 'request' | 'response', version: number): Encode {
  return once(encoders, api, direction, version, () => {
    const source = new Source(api, version)
    const root = source.encodeStruct(api[direction], `${api.name}.${direction}`)
    return source.compile(root, ['Writer', 'unsupported', 'unexpectedNull'], [Writer, unsupported, unexpectedNull]) as Encode
  })
}

/** For tests and curious readers: what the two functions look like. */
export function sourceOf(api: Api, direction: 'request' | 'response', version: number, what: 'decode' | 'encode'): string {
  const source = new Source(api, version)
  source[what === 'decode' ? 'decodeStruct' : 'encodeStruct'](api[direction], `${api.name}.${direction}`)
  return source.text
}

type Compiled<F> = WeakMap<Api, Map<string, F>>
const decoders: Compiled<Decode> = new WeakMap()
const encoders: Compiled<Encode> = new WeakMap()

function once<F>(known: Compiled<F>, api: Api, direction: string, version: number, make: () => F): F {
  let ofApi = known.get(api)
  if (ofApi === undefined) known.set(api, (ofApi = new Map()))
  const key = `${direction} ${version}`
  let made = ofApi.get(key)
  if (made === undefined) {
    const [min, max] = api.versions
    if (version < min || version > max) throw new ProtocolError(`${api.name} ${version} is not supported`)
    ofApi.set(key, (made = make()))
  }
  return made
}

function unsupported(field: string, version: number): never {
  throw new ProtocolError(`version ${version} cannot carry ${field}`)
}

const legalName = /^[a-z][A-Za-z0-9]*$/

/** The names of a scalar's methods in Reader and Writer are its type's, but for those with a length in front. */
const sized: Partial<Record<ScalarType, string>> = { string: 'String', bytes: 'Octets', records: 'Octets' }

const minimumBytes: Record<Exclude<ScalarType, 'string' | 'bytes' | 'records'>, number> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  big64: 8,
  float64: 8,
  uuid: 16,
}

/** One function per struct, so that each stays small and sees one shape of object. */
class Source {
  readonly #version: number
  readonly #flexible: boolean
  readonly #functions: string[] = []

  constructor(api: Api, version: number) {
    this.#version = version
    this.#flexible = api.flexible !== 'never' && version >= api.flexible
  }

  get text(): string {
    return this.#functions.join('\n')
  }

  compile(root: string, names: readonly string[], values: readonly unknown[]): unknown {
    // oxlint-disable-next-line no-implied-eval -- the one place; see the file's head
    const make = new Function(...names, `'use strict'\n${this.text}\nreturn ${root}`) as (...handed: readonly unknown[]) => unknown
    return make(...values)
  }

  // ---- decode -----------------------------------------------------------------------------------------------------------------------

  decodeStruct(fields: Fields, path: string): string {
    const lines: string[] = []
    const tagged: string[] = []
    for (const [name, field] of Object.entries(fields)) {
      checkName(name)
      const at = `${path}.${name}`
      if (!inVersions(field.versions, this.#version)) lines.push(`const ${local(name)} = ${this.#defaultOf(field)}`)
      else if (field.tag !== undefined) {
        lines.push(`let ${local(name)} = ${this.#defaultOf(field)}`)
        tagged.push(`case ${field.tag}: ${local(name)} = ${this.#decodeField(field, at)}; r.expectAt(end); break`)
      } else lines.push(`const ${local(name)} = ${this.#decodeField(field, at)}`)
    }
    if (this.#flexible) {
      lines.push(
        tagged.length === 0
          ? 'r.skipTags()'
          : `for (let left = r.tagCount(); left > 0; left--) {\n  const tag = r.uvarint(), end = r.tagEnd()\n  switch (tag) {\n    ${tagged.join('\n    ')}\n    default: r.skipTo(end)\n  }\n}`,
      )
    }
    const members = Object.keys(fields).map((name) => `${name}: ${local(name)}`)
    return this.#function('decode', path, 'r', [...lines, `return { ${members.join(', ')} }`])
  }

  #decodeField(field: Field, path: string): string {
    const nullable = this.#nullable(field)
    switch (field.type) {
      case 'array':
        return `${this.#decodeArray(field, path)}(r)`
      case 'struct': {
        const one = this.decodeStruct(field.fields, path)
        return nullable ? `(r.int8() < 0 ? null : ${one}(r))` : `${one}(r)`
      }
      case 'bool':
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'int64':
      case 'big64':
      case 'float64':
      case 'string':
      case 'uuid':
      case 'bytes':
      case 'records':
        return `r.${this.#method(field, nullable)}()`
    }
  }

  #decodeArray(field: ArrayField, path: string): string {
    const { of } = field
    const element = of.type === 'struct' ? `${this.decodeStruct(of.fields, path)}(r)` : `r.${this.#method(of, this.#nullable(of))}()`
    const count = this.#flexible ? 'compactCount' : 'count'
    return this.#function('decodeArray', path, 'r', [
      `const count = r.${count}(${this.#smallest(of)})`,
      `if (count < 0) return ${this.#nullable(field) ? 'null' : `unexpectedNull('${path}')`}`,
      'const elements = []',
      `for (let left = count; left > 0; left--) elements.push(${element})`,
      'return elements',
    ])
  }

  /** The fewest bytes that a value can take: what bounds the length of an array. */
  #smallest(field: Scalar | StructField | Field): number {
    switch (field.type) {
      case 'struct': {
        let sum = this.#flexible ? 1 : 0
        for (const child of Object.values(field.fields)) {
          if (child.tag === undefined && inVersions(child.versions, this.#version)) sum += this.#smallest(child)
        }
        return Math.max(1, this.#nullable(field) ? 1 : sum)
      }
      case 'array':
        return this.#flexible ? 1 : 4
      case 'string':
        return this.#flexible ? 1 : 2
      case 'bytes':
      case 'records':
        return this.#flexible ? 1 : 4
      case 'bool':
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'int64':
      case 'big64':
      case 'float64':
      case 'uuid':
        return minimumBytes[field.type]
    }
  }

  // ---- encode -----------------------------------------------------------------------------------------------------------------------

  encodeStruct(fields: Fields, path: string): string {
    const lines: string[] = []
    const tagged: { readonly tag: number; readonly name: string; readonly present: string; readonly body: string }[] = []
    for (const [name, field] of Object.entries(fields)) {
      checkName(name)
      const at = `${path}.${name}`
      const given = `o.${name}`
      if (!inVersions(field.versions, this.#version)) {
        if (field.ignorable === undefined && field.tag === undefined) {
          lines.push(`if (${given} !== undefined && !(${this.#isDefault(field, given)})) unsupported('${at}', ${this.#version})`)
        }
        continue
      }
      const value = `(${given} === undefined ? ${this.#defaultOf(field)} : ${given})`
      if (field.tag === undefined) lines.push(this.#encodeField(field, value, at))
      else {
        tagged.push({
          tag: field.tag,
          name,
          present: `${given} !== undefined && !(${this.#isDefault(field, given)})`,
          body: this.#encodeField(field, given, at).replaceAll(/\bw\b/g, 'part'),
        })
      }
    }
    if (this.#flexible) lines.push(...taggedSection(tagged))
    return this.#function('encode', path, 'w, o', lines)
  }

  #encodeField(field: Field, value: string, path: string): string {
    const nullable = this.#nullable(field)
    switch (field.type) {
      case 'array':
        return `${this.#encodeArray(field, path)}(w, ${value})`
      case 'struct': {
        const one = this.encodeStruct(field.fields, path)
        if (!nullable) return `${one}(w, ${value})`
        return `{ const one = ${value}; if (one === null) w.int8(-1); else { w.int8(1); ${one}(w, one) } }`
      }
      case 'bool':
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'int64':
      case 'big64':
      case 'float64':
      case 'string':
      case 'uuid':
      case 'bytes':
      case 'records': {
        const write = `w.${this.#method(field, nullable).replace('clamped64', 'int64')}`
        if (sized[field.type] === undefined || nullable) return `${write}(${value})`
        return `${write}(${value} ?? unexpectedNull('${path}'))`
      }
    }
  }

  #encodeArray(field: ArrayField, path: string): string {
    const { of } = field
    const count = this.#flexible ? 'compactCount' : 'count'
    const element = of.type === 'struct' ? `${this.encodeStruct(of.fields, path)}(w, element)` : this.#encodeField(of, 'element', path)
    return this.#function('encodeArray', path, 'w, elements', [
      `if (elements === null) { ${this.#nullable(field) ? `w.${count}(-1); return` : `unexpectedNull('${path}')`} }`,
      `w.${count}(elements.length)`,
      `for (const element of elements) ${element}`,
    ])
  }

  #isDefault(field: Field, value: string): string {
    switch (field.type) {
      case 'array':
        return field.default === null ? `${value} === null` : `${value} !== null && ${value}.length === 0`
      case 'struct': {
        if (field.default === null) return `${value} === null`
        const members = Object.entries(field.fields).map(
          ([name, child]) => `(${value}.${name} === undefined || ${this.#isDefault(child, `${value}.${name}`)})`,
        )
        return members.length === 0 ? 'true' : members.join(' && ')
      }
      case 'bytes':
        return field.default === null ? `${value} === null` : `${value} !== null && ${value}.length === 0`
      case 'records':
        return `${value} === null`
      case 'bool':
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'int64':
      case 'big64':
      case 'float64':
      case 'string':
      case 'uuid':
        return `${value} === ${this.#defaultOf(field)}`
    }
  }

  // ---- both -------------------------------------------------------------------------------------------------------------------------

  #defaultOf(field: Field): string {
    if (field.default !== undefined) {
      return typeof field.default === 'bigint' ? `${field.default}n` : JSON.stringify(field.default)
    }
    switch (field.type) {
      case 'array':
        return '[]'
      case 'struct':
        return `{ ${Object.entries(field.fields)
          .map(([name, child]) => `${name}: ${this.#defaultOf(child)}`)
          .join(', ')} }`
      case 'string':
        return `''`
      case 'uuid':
        return `'${zeroUuid}'`
      case 'bool':
        return 'false'
      case 'bytes':
        return 'new Uint8Array(0)'
      case 'records':
        return 'null'
      case 'big64':
        return '0n'
      case 'int8':
      case 'int16':
      case 'uint16':
      case 'int32':
      case 'int64':
      case 'float64':
        return '0'
    }
  }

  #method(field: Scalar, nullable: boolean): string {
    if (field.type === 'int64' && field.clamped === true) return 'clamped64'
    const noun = sized[field.type]
    if (noun === undefined) return field.type
    const words = `${this.#flexible ? 'Compact' : ''}${nullable ? 'Nullable' : ''}${noun}`
    return words.charAt(0).toLowerCase() + words.slice(1)
  }

  #nullable(field: Field): boolean {
    return field.nullable === true || (field.nullable !== undefined && inVersions(field.nullable, this.#version))
  }

  #function(verb: string, path: string, parameters: string, lines: readonly string[]): string {
    const name = `${verb}_${path.replaceAll('.', '_')}_${this.#functions.length}`
    this.#functions.push(`function ${name}(${parameters}) {\n  ${lines.join('\n  ')}\n}`)
    return name
  }
}

function taggedSection(
  fields: readonly { readonly tag: number; readonly name: string; readonly present: string; readonly body: string }[],
): string[] {
  if (fields.length === 0) return ['w.uvarint(0)']
  const inOrder = [...fields].sort((a, b) => a.tag - b.tag)
  return [
    ...inOrder.map(({ name, present }) => `const has_${name} = ${present}`),
    `w.uvarint(${inOrder.map(({ name }) => `(has_${name} ? 1 : 0)`).join(' + ')})`,
    ...inOrder.map(
      ({ tag, name, body }) =>
        `if (has_${name}) { const part = new Writer(); ${body}; w.uvarint(${tag}); w.uvarint(part.sizeBytes); w.raw(part.finish()) }`,
    ),
  ]
}

/** Field names may be words of the language. */
function local(name: string): string {
  return `_${name}`
}

function checkName(name: string): void {
  if (!legalName.test(name)) throw new RangeError(`not a field name: ${name}`)
}
