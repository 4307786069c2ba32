// Every literal of the protocol against Kafka's own message definitions, field by field and version by version. They lie in the kafka-clients jar
// that KAFKA_CLASSPATH names (a list of jars, or of directories with `/*`).
import { existsSync, readdirSync } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { apis } from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import type { Field, Fields, Versions } from '../../packages/protocol/src/schema/dsl.ts'
import { inVersions } from '../../packages/protocol/src/schema/versions.ts'
import { zeroUuid } from '../../packages/protocol/src/wire/uuid.ts'
import { jarEntries } from './testing/jar-entries.ts'

const jar = clientsJar(process.env.KAFKA_CLASSPATH ?? '')

test.runIf(process.env.CI === 'true')('KAFKA_CLASSPATH has the kafka-clients jar', () => {
  expect(jar).toBeDefined()
})

describe.skipIf(jar === undefined)("the literals are Kafka's", () => {
  const definitions = jar === undefined ? new Map<string, string>() : jarEntries(jar, /^common\/message\/\w+(Request|Response)\.json$/)

  for (const api of apis.values()) {
    for (const direction of ['request', 'response'] as const) {
      test(`${api.name} ${direction}`, () => {
        const file = `common/message/${api.name}${direction === 'request' ? 'Request' : 'Response'}.json`
        const theirs = parse(definitions.get(file) ?? '{}')
        if (direction === 'request') expect(theirs.apiKey).toBe(api.key)
        const [first, last] = api.versions
        for (let version = first; version <= last; version++) {
          expect(inVersions(theirs.validVersions, version), `${version} is in ${theirs.validVersions}`).toBe(true)
          expect(inVersions(theirs.flexibleVersions, version), `whether ${version} is flexible`).toBe(
            api.flexible !== 'never' && version >= api.flexible,
          )
          expect(ours(api[direction], version), `version ${version}`).toEqual(normalized(theirs.fields, theirs, version))
        }
      })
    }
  }
})

interface Definition {
  readonly apiKey: number
  readonly validVersions: Versions
  readonly flexibleVersions: Versions
  readonly fields: readonly KafkaField[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly KafkaField[] }[]
}

interface KafkaField {
  readonly name: string
  readonly type: string
  readonly versions: Versions
  readonly nullableVersions?: Versions
  readonly taggedVersions?: Versions
  readonly tag?: number
  readonly default?: string | number | boolean | null
  readonly ignorable?: boolean
  readonly fields?: readonly KafkaField[]
}

/** One field of one version, as both sides can say it. */
interface NormalSchema {
  readonly name: string
  readonly type: string
  readonly nullable: boolean
  readonly tag: number | undefined
  readonly default: unknown
  readonly fields: readonly NormalSchema[] | undefined
}

function ours(fields: Fields, version: number): readonly NormalSchema[] {
  return Object.entries(fields)
    .filter(([, field]) => inVersions(field.versions, version))
    .map(([name, field]) => {
      const inner = field.type === 'array' ? field.of : field
      return {
        name,
        type: `${field.type === 'array' ? '[]' : ''}${inner.type === 'big64' ? 'int64' : inner.type}`,
        nullable: field.nullable === true || (field.nullable !== undefined && inVersions(field.nullable, version)),
        tag: field.tag,
        default: ourDefault(field),
        fields: inner.type === 'struct' ? ours(inner.fields, version) : undefined,
      }
    })
}

function ourDefault(field: Field): unknown {
  if (field.default !== undefined) return typeof field.default === 'bigint' ? String(field.default) : field.default
  switch (field.type) {
    case 'string':
      return ''
    case 'bool':
      return false
    case 'uuid':
      return zeroUuid
    case 'big64':
    case 'int8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'int64':
    case 'float64':
      return 0
    case 'array':
    case 'struct':
    case 'bytes':
    case 'records':
      return undefined
  }
}

function normalized(fields: readonly KafkaField[], of: Definition, version: number): readonly NormalSchema[] {
  return fields
    .filter((field) => inVersions(field.versions, version))
    .map((field) => {
      const array = field.type.startsWith('[]')
      const element = array ? field.type.slice(2) : field.type
      const members = field.fields ?? of.commonStructs?.find(({ name }) => name === element)?.fields
      return {
        name: field.name.charAt(0).toLowerCase() + field.name.slice(1),
        type: `${array ? '[]' : ''}${members === undefined ? element : 'struct'}`,
        nullable: field.nullableVersions !== undefined && inVersions(field.nullableVersions, version),
        tag: field.taggedVersions !== undefined && inVersions(field.taggedVersions, version) ? field.tag : undefined,
        default: theirDefault(field, members === undefined ? element : 'struct', array),
        fields: members === undefined ? undefined : normalized(members, of, version),
      }
    })
}

function theirDefault({ default: given }: KafkaField, type: string, array: boolean): unknown {
  if (given === null || given === 'null') return null
  if (array || type === 'struct' || type === 'bytes' || type === 'records') return undefined
  if (type === 'string') return given ?? ''
  if (type === 'bool') return given === true || given === 'true'
  if (type === 'uuid') return given ?? zeroUuid
  const value = BigInt(given ?? 0)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

/** JSON with comments of the `//` kind. */
function parse(text: string): Definition {
  return JSON.parse(text.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, '$1')) as Definition
}

function clientsJar(classpath: string): string | undefined {
  const jars = classpath
    .split(delimiter)
    .flatMap((entry) =>
      basename(entry) === '*' && existsSync(dirname(entry))
        ? readdirSync(dirname(entry)).map((name) => join(dirname(entry), name))
        : [entry],
    )
  return jars.find((path) => /^kafka-clients-[\d.]+\.jar$/.test(basename(path)) && existsSync(path))
}
