// Seeded mutations of valid requests: values at the edges of their types, damaged bytes, false lengths, wrong headers, and plain random bytes.
import { type Api, encodeRequest, type Fields, ProtocolError } from '@local-kafka-service/protocol'
import { sampleOf } from '../../../packages/agent/src/api/testing/samples.ts'
import type { Chance } from '../../../packages/sim/src/chance.ts'

export interface FuzzedRequest {
  /** Without its size. */
  readonly frame: Buffer
  readonly api: Api
  readonly version: number
  readonly mutation: string
  /** Whether its encoding is that of the API and version, so that a server must answer it and not close. */
  readonly wellFormed: boolean
}

/** The same chance draws the same request. */
export function fuzzedRequest(chance: Chance, apis: readonly Api[], topicId: string): FuzzedRequest {
  const api = chance.pick(apis)
  const [min, max] = api.versions
  const version = chance.whole([min, max])
  const sample = structuredClone(sampleOf(api, version, topicId))
  const clientId = chance.pick(['fuzz', null, '', 'ü'.repeat(200)])
  const encoded = (body: object): Buffer =>
    // The cast: a mutated request has the fields of its API; the encoder rejects a value that its type cannot carry.
    Buffer.concat(encodeRequest(api, { version, correlationId: 1, clientId }, body as never)).subarray(4)
  const of = { api, version }
  if (chance.happens(0.5)) {
    const places = Array.from({ length: chance.whole([1, 3]) }, () => changeValue(chance, api.request, sample))
    try {
      return { ...of, frame: encoded(sample), mutation: places.join(', '), wellFormed: true }
    } catch (error) {
      // This version has no place for the value: the bytes of the valid request are damaged instead.
      if (!(error instanceof ProtocolError) && !(error instanceof TypeError)) throw error
    }
  }
  const valid = encoded(sampleOf(api, version, topicId))
  const damage = chance.pick(damages)
  return { ...of, frame: damage.apply(chance, valid), mutation: damage.name, wellFormed: false }
}

// ---- bytes --------------------------------------------------------------------------------------------------------------------------

interface Damage {
  readonly name: string
  readonly apply: (chance: Chance, frame: Buffer) => Buffer
}

const at = (chance: Chance, frame: Buffer): number => chance.whole([0, Math.max(0, frame.length - 1)])
const damages: readonly Damage[] = [
  { name: 'nothing', apply: (_, frame) => frame },
  {
    name: 'flipped bits',
    apply: (chance, frame) => {
      for (let left = chance.whole([1, 8]); left > 0; left--) {
        const place = at(chance, frame)
        frame[place] = (frame[place] ?? 0) ^ (1 << chance.whole([0, 7]))
      }
      return frame
    },
  },
  { name: 'cut off', apply: (chance, frame) => frame.subarray(0, at(chance, frame)) },
  {
    name: 'bytes inserted',
    apply: (chance, frame) => {
      const place = at(chance, frame)
      return Buffer.concat([frame.subarray(0, place), chance.bytes(chance.whole([1, 40])), frame.subarray(place)])
    },
  },
  {
    name: 'a piece repeated',
    apply: (chance, frame) => {
      const from = at(chance, frame)
      const piece = frame.subarray(from, from + chance.whole([1, 64]))
      return Buffer.concat([frame.subarray(0, from), ...Array<Buffer>(chance.whole([2, 200])).fill(piece), frame.subarray(from)])
    },
  },
  {
    name: 'a false length of two bytes',
    apply: (chance, frame) => {
      if (frame.length > 12) frame.writeInt16BE(chance.pick([-1, -2, 0x7fff, -0x8000, 0, 256]), chance.whole([8, frame.length - 2]))
      return frame
    },
  },
  {
    name: 'a false length of four bytes',
    apply: (chance, frame) => {
      const length = chance.pick([-1, -2, 0x7fff_ffff, -0x8000_0000, 0, 1_000_000, 65_536])
      if (frame.length > 12) frame.writeInt32BE(length, chance.whole([8, frame.length - 4]))
      return frame
    },
  },
  {
    name: 'a varint without an end',
    apply: (chance, frame) => {
      const place = at(chance, frame)
      return Buffer.concat([frame.subarray(0, place), Buffer.alloc(chance.whole([1, 12]), 0xff), frame.subarray(place)])
    },
  },
  {
    name: 'another API or version',
    apply: (chance, frame) => {
      frame.writeInt16BE(chance.pick([chance.whole([-1, 120]), 0x7fff, -0x8000]), chance.pick([0, 2]))
      return frame
    },
  },
  { name: 'bytes after its end', apply: (chance, frame) => Buffer.concat([frame, chance.bytes(chance.whole([1, 300]))]) },
  { name: 'random bytes', apply: (chance) => Buffer.from(chance.bytes(chance.whole([0, 400]))) },
  {
    name: 'random bytes after a valid header',
    apply: (chance, frame) => Buffer.concat([frame.subarray(0, 14), chance.bytes(chance.whole([0, 400]))]),
  },
]

// ---- values -------------------------------------------------------------------------------------------------------------------------

/** Changes one value of the message, and returns which. */
function changeValue(chance: Chance, fields: Fields, message: object): string {
  // The cast: a message is an object with the fields of its literal.
  const values = message as Record<string, unknown>
  const names = Object.keys(fields)
  const name = chance.pick(names)
  const field = fields[name]
  if (field === undefined) return 'nothing'
  const value = values[name]
  if (field.type === 'struct') {
    if (typeof value === 'object' && value !== null) return `${name}.${changeValue(chance, field.fields, value)}`
    return 'nothing'
  }
  if (field.type !== 'array') {
    values[name] = chance.pick(edges[field.type])(chance)
    return `${name} = ${text(values[name])}`
  }
  if (!Array.isArray(value) || value.length === 0 || chance.happens(0.3)) {
    const elements: readonly unknown[] = Array.isArray(value) ? value : []
    values[name] = chance.pick([
      null,
      [],
      Array<unknown>(chance.whole([2, 300]))
        .fill(elements[0])
        .filter((element) => element !== undefined),
    ])
    return `${name} = ${text(values[name])}`
  }
  const place = Math.floor(chance.next() * value.length)
  const element: unknown = value[place]
  const { of } = field
  if (of.type === 'struct' && typeof element === 'object' && element !== null)
    return `${name}[${place}].${changeValue(chance, of.fields, element)}`
  if (of.type === 'struct') return 'nothing'
  value[place] = chance.pick(edges[of.type])(chance)
  return `${name}[${place}] = ${text(value[place])}`
}

/** A value that code often forgets. */
type Edge = (chance: Chance) => unknown

const these = (...values: readonly unknown[]): readonly Edge[] => values.map((value) => () => value)
const integers = (bits: number): readonly Edge[] => {
  const most = 2 ** (bits - 1)
  return [...these(0, 1, -1, -2, most - 1, -most), (chance) => chance.whole([-most, most - 1])]
}
const octets: readonly Edge[] = [...these(null, new Uint8Array(), new Uint8Array(70_000)), (chance) => chance.bytes(chance.whole([1, 200]))]
const edges = {
  bool: these(true, false),
  int8: integers(8),
  int16: integers(16),
  uint16: these(0, 1, 0xffff),
  int32: integers(32),
  int64: these(0, -1, -2, -3, -4, -5, -100, 1, Number.MAX_SAFE_INTEGER - 1, -Number.MAX_SAFE_INTEGER + 1, 2 ** 40),
  big64: these(0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)),
  float64: these(0, -0, Number.POSITIVE_INFINITY, Number.NaN),
  uuid: these('AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAQ', '_____________________w'),
  string: [
    ...these(null, '', 't', 'g', '.', '..', '__proto__', 'constructor', 'a b', '\u0000', '\uFEFFt', '💥', '../../etc'),
    ...these('n'.repeat(249), 'n'.repeat(250), 'n'.repeat(32_767), 'ü'.repeat(16_383)),
    (chance) => String.fromCharCode(...chance.bytes(chance.whole([1, 20]))),
  ],
  bytes: octets,
  records: octets,
} as const satisfies Readonly<Record<string, readonly Edge[]>>

function text(value: unknown): string {
  if (Array.isArray(value)) return `${value.length} elements`
  if (value instanceof Uint8Array) return `${value.length} bytes`
  const whole = typeof value === 'bigint' ? `${value}` : (JSON.stringify(value) ?? 'undefined')
  return whole.length > 40 ? `${whole.slice(0, 40)}… (${whole.length})` : whole
}
