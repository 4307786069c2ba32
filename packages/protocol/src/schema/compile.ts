// Turns an API's literal and one version into straight-line source, once: a function that decodes and one that encodes, and for large messages a generator of each.
// The input is our own literals only, and their names are checked; no part of a message ever enters the source.

import { ProtocolError } from '../wire/protocol-error.ts'
import { type MessageReader, unexpectedNull } from '../wire/reader.ts'
import { elementsPerStep, fewElements } from '../wire/steps.ts'
import { MessageWriter } from '../wire/writer.ts'
import type { Api, ArrayField, Field, Fields, Scalar } from './dsl.ts'
import { type ScalarFacts, scalars } from './scalars.ts'
import { inVersions } from './versions.ts'

export type Decode = (reader: MessageReader) => object
export type Encode = (writer: MessageWriter, message: object) => void
/** They yield the number of array elements since the last step. The reader or the writer must not be used otherwise between two steps. */
export type DecodeInSteps = (reader: MessageReader) => Generator<number, object>
export type EncodeInSteps = (writer: MessageWriter, message: object) => Generator<number, void>

/** The decoder of one direction and version, compiled on first use. Throws a ProtocolError for a version that the API does not have. */
export function decoder(api: Api, direction: 'request' | 'response', version: number): Decode {
  return once(decoders, api, direction, version, () => {
    const source = new Source(api, version)
    const root = source.decodeStruct(api[direction], `${api.name}.${direction}`)
    return source.compile(root, ['unexpectedNull'], [unexpectedNull]) as Decode
  })
}

/** The encoder of one direction and version, compiled on first use. Throws a ProtocolError for a version that the API does not have. */
export function encoder(api: Api, direction: 'request' | 'response', version: number): Encode {
  return once(encoders, api, direction, version, () => {
    const source = new Source(api, version)
    const root = source.encodeStruct(api[direction], `${api.name}.${direction}`)
    const names = ['MessageWriter', 'unsupported', 'unexpectedNull', 'cutText']
    return source.compile(root, names, [MessageWriter, unsupported, unexpectedNull, cutText]) as Encode
  })
}

/** As `decoder`. */
export function stepDecoder(api: Api, direction: 'request' | 'response', version: number): DecodeInSteps {
  return once(stepDecoders, api, direction, version, () => {
    const source = new Source(api, version, 'in steps')
    const root = source.wholeStruct('decode', api[direction], `${api.name}.${direction}`)
    return source.compile(root, ['unexpectedNull'], [unexpectedNull]) as DecodeInSteps
  })
}

/** As `encoder`. */
export function stepEncoder(api: Api, direction: 'request' | 'response', version: number): EncodeInSteps {
  return once(stepEncoders, api, direction, version, () => {
    const source = new Source(api, version, 'in steps')
    const root = source.wholeStruct('encode', api[direction], `${api.name}.${direction}`)
    const names = ['MessageWriter', 'unsupported', 'unexpectedNull', 'cutText', 'hasMany']
    return source.compile(root, names, [MessageWriter, unsupported, unexpectedNull, cutText, hasMany]) as EncodeInSteps
  })
}

/** The source of the two functions, for tests and curious readers. */
export function sourceOf(api: Api, direction: 'request' | 'response', version: number, what: 'decode' | 'encode'): string {
  const source = new Source(api, version)
  source[what === 'decode' ? 'decodeStruct' : 'encodeStruct'](api[direction], `${api.name}.${direction}`)
  return source.text
}

type Compiled<F> = WeakMap<Api, Map<string, F>>
const decoders: Compiled<Decode> = new WeakMap()
const encoders: Compiled<Encode> = new WeakMap()
const stepDecoders: Compiled<DecodeInSteps> = new WeakMap()
const stepEncoders: Compiled<EncodeInSteps> = new WeakMap()

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

/** The texts for people. They may quote what the client sent, which may be as long as a string can be. */
const messageName = /errorMessage$/i
/** At most three bytes each. */
const messageChars = 10_000

function cutText(text: string | null): string | null {
  return text === null || text.length <= messageChars ? text : `${text.slice(0, messageChars)}…`
}

/** An array that is written in steps. */
function hasMany(elements: readonly unknown[] | null): boolean {
  return elements !== null && elements.length > fewElements
}

const legalName = /^[a-z][A-Za-z0-9]*$/

/** Generates one function per struct, so that each stays small and sees one shape of object. */
class Source {
  readonly #version: number
  readonly #flexible: boolean
  readonly #functions: string[] = []
  /** Whether the functions that are generated now work in steps. */
  #inSteps: boolean

  constructor(api: Api, version: number, how: 'at once' | 'in steps' = 'at once') {
    this.#inSteps = how === 'in steps'
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

  /** A generator, also for a message without arrays. */
  wholeStruct(verb: 'decode' | 'encode', fields: Fields, path: string): string {
    const root = this[`${verb}Struct`](fields, path)
    if (this.#stepsThrough({ type: 'struct', fields })) return root
    const parameters = verb === 'decode' ? 'r' : 'w, o'
    return this.#function(verb, path, parameters, [`return ${root}(${parameters})`], true)
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
        tagged.push(`case ${field.tag}: ${local(name)} = ${this.#decodeField(field, at)}; r.endTagged(end); break`)
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
    return this.#function(
      'decode',
      path,
      'r',
      [...lines, `return { ${members.join(', ')} }`],
      this.#stepsThrough({ type: 'struct', fields }),
    )
  }

  #decodeField(field: Field, path: string): string {
    if (field.type === 'array') return this.#decodedArray(field, path)
    const nullable = this.#nullable(field)
    if (field.type !== 'struct') return this.#decodeScalar(field, nullable)
    const one = this.#value(field, `${this.decodeStruct(field.fields, path)}(r)`)
    return nullable ? `(r.int8() < 0 ? null : ${one})` : one
  }

  #decodeScalar(field: Scalar, nullable: boolean): string {
    return `r.${field.type === 'int64' && field.clamped === true ? 'clamped64' : this.#method(field, nullable)}()`
  }

  #decodedArray(field: ArrayField, path: string): string {
    const whole = `${this.#decodeArray(field, path)}(r)`
    if (!this.#inSteps) return whole
    const inSteps = `(yield* ${whole})`
    if (this.#stepsThrough(field.of)) return inSteps
    return `(r.${this.#flexible ? 'compactManyAhead' : 'manyAhead'}() ? ${inSteps} : ${this.#atOnce(() => this.#decodeArray(field, path))}(r))`
  }

  #decodeArray(field: ArrayField, path: string): string {
    const { of } = field
    const element =
      of.type === 'struct' ? this.#value(of, `${this.decodeStruct(of.fields, path)}(r)`) : this.#decodeScalar(of, this.#nullable(of))
    const count = this.#flexible ? 'compactCount' : 'count'
    return this.#function(
      'decodeArray',
      path,
      'r',
      [
        `const count = r.${count}(${this.#smallest(of)})`,
        `if (count < 0) return ${this.#nullable(field) ? 'null' : `unexpectedNull('${path}')`}`,
        'const elements = []',
        `for (let left = count; left > 0; left--) ${this.#counted(`elements.push(${element})`, 'r')}`,
        'return elements',
      ],
      this.#inSteps,
    )
  }

  /** The smallest size of a value in bytes; it bounds the length of an array. */
  #smallest(field: Field): number {
    if (field.type === 'array') return this.#flexible ? 1 : 4
    if (field.type !== 'struct') return scalars[field.type].smallest[this.#flexible ? 1 : 0]
    if (this.#nullable(field)) return 1
    let sum = this.#flexible ? 1 : 0
    for (const child of Object.values(field.fields)) {
      if (child.tag === undefined && inVersions(child.versions, this.#version)) sum += this.#smallest(child)
    }
    return Math.max(1, sum)
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
      const whole = `(${given} === undefined ? ${this.#defaultOf(field)} : ${given})`
      const value = field.type === 'string' && messageName.test(name) ? `cutText(${whole})` : whole
      if (field.tag === undefined) lines.push(this.#encodeField(field, { value, path: at, writer: 'w' }))
      else {
        tagged.push({
          tag: field.tag,
          name,
          present: `${given} !== undefined && !(${this.#isDefault(field, given)})`,
          body: this.#encodeField(field, { value: given, path: at, writer: 'part' }),
        })
      }
    }
    if (this.#flexible) lines.push(...taggedSection(tagged))
    return this.#function('encode', path, 'w, o', lines, this.#stepsThrough({ type: 'struct', fields }))
  }

  /** `value` and `writer` are expressions of the source. */
  #encodeField(field: Field, { value, path, writer }: { readonly value: string; readonly path: string; readonly writer: string }): string {
    if (field.type === 'array') return this.#encodedArray(field, { value, path, writer })
    const nullable = this.#nullable(field)
    if (field.type === 'struct') {
      const name = this.encodeStruct(field.fields, path)
      const one = (given: string): string => this.#statement(field, `${name}(${writer}, ${given})`)
      if (!nullable) return one(value)
      return `{ const one = ${value}; if (one === null) ${writer}.int8(-1); else { ${writer}.int8(1); ${one('one')} } }`
    }
    const write = `${writer}.${this.#method(field, nullable)}`
    const nullMayCome = scalars[field.type].sized !== undefined && !nullable
    return `${write}(${nullMayCome ? `${value} ?? unexpectedNull('${path}')` : value})`
  }

  #encodedArray(
    field: ArrayField,
    { value, path, writer }: { readonly value: string; readonly path: string; readonly writer: string },
  ): string {
    const whole = `${this.#encodeArray(field, path)}(${writer}, ${value})`
    if (!this.#inSteps) return whole
    const inSteps = `yield* ${whole}`
    if (this.#stepsThrough(field.of)) return inSteps
    const atOnce = `${this.#atOnce(() => this.#encodeArray(field, path))}(${writer}, ${value})`
    return `if (hasMany(${value})) ${inSteps}; else ${atOnce}`
  }

  #encodeArray(field: ArrayField, path: string): string {
    const { of } = field
    const count = this.#flexible ? 'compactCount' : 'count'
    const element =
      of.type === 'struct'
        ? this.#statement(of, `${this.encodeStruct(of.fields, path)}(w, element)`)
        : this.#encodeField(of, { value: 'element', path, writer: 'w' })
    return this.#function(
      'encodeArray',
      path,
      'w, elements',
      [
        `if (elements === null) { ${this.#nullable(field) ? `w.${count}(-1); return` : `unexpectedNull('${path}')`} }`,
        `w.${count}(elements.length)`,
        `for (const element of elements) ${this.#counted(element, 'w')}`,
      ],
      this.#inSteps,
    )
  }

  #isDefault(field: Field, value: string): string {
    if (field.default === null || field.type === 'records') return `${value} === null`
    if (field.type === 'array' || field.type === 'bytes') return `${value} !== null && ${value}.length === 0`
    if (field.type !== 'struct') return `${value} === ${this.#defaultOf(field)}`
    const members = Object.entries(field.fields).map(
      ([name, child]) => `(${value}.${name} === undefined || ${this.#isDefault(child, `${value}.${name}`)})`,
    )
    return members.length === 0 ? 'true' : members.join(' && ')
  }

  // ---- in steps --------------------------------------------------------------------------------------------------------------------

  /** A value with arrays in it is read and written by a generator. */
  #stepsThrough(field: Field): boolean {
    if (!this.#inSteps) return false
    if (field.type === 'array') return true
    if (field.type !== 'struct') return false
    return Object.values(field.fields).some((child) => inVersions(child.versions, this.#version) && this.#stepsThrough(child))
  }

  #statement(field: Field, call: string): string {
    return this.#stepsThrough(field) ? `yield* ${call}` : call
  }

  #value(field: Field, call: string): string {
    return this.#stepsThrough(field) ? `(yield* ${call})` : call
  }

  #counted(statement: string, cursor: 'r' | 'w'): string {
    return this.#inSteps ? `{ ${statement}; if (${cursor}.worked()) yield ${elementsPerStep} }` : statement
  }

  #atOnce(generate: () => string): string {
    const before = this.#inSteps
    this.#inSteps = false
    const name = generate()
    this.#inSteps = before
    return name
  }

  // ---- both -------------------------------------------------------------------------------------------------------------------------

  #defaultOf(field: Field): string {
    if (field.default !== undefined) return literal(field.default)
    if (field.type === 'array') return '[]'
    if (field.type !== 'struct') return literal(scalars[field.type].zero)
    const members = Object.entries(field.fields).map(([name, child]) => `${name}: ${this.#defaultOf(child)}`)
    return `{ ${members.join(', ')} }`
  }

  #method(field: Scalar, nullable: boolean): string {
    const noun = scalars[field.type].sized
    if (noun === undefined) return field.type
    const words = `${this.#flexible ? 'Compact' : ''}${nullable ? 'Nullable' : ''}${noun}`
    return words.charAt(0).toLowerCase() + words.slice(1)
  }

  #nullable(field: Field): boolean {
    return field.nullable === true || (field.nullable !== undefined && inVersions(field.nullable, this.#version))
  }

  #function(verb: string, path: string, parameters: string, lines: readonly string[], isGenerator = false): string {
    const name = `${verb}_${path.replaceAll('.', '_')}_${this.#functions.length}`
    this.#functions.push(`function${isGenerator ? '*' : ''} ${name}(${parameters}) {\n  ${lines.join('\n  ')}\n}`)
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
        `if (has_${name}) { const part = new MessageWriter(); ${body}; w.uvarint(${tag}); w.uvarint(part.sizeBytes); w.raw(part.finish()) }`,
    ),
  ]
}

function literal(value: ScalarFacts['zero']): string {
  if (value instanceof Uint8Array) return `new Uint8Array(${JSON.stringify([...value])})`
  return typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)
}

/** Field names may be reserved words of JavaScript. */
function local(name: string): string {
  return `_${name}`
}

function checkName(name: string): void {
  if (!legalName.test(name)) throw new RangeError(`${name} is not a valid field name`)
}
