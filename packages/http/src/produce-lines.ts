// The route that produces many records on the data plane: one JSON object per line, with keys, headers and partitions, in the form in which records are read.
import { fixedLimits, type RecordToAppend, type Topic } from '@local-kafka-service/agent'
import { partitionOfKey } from '@local-kafka-service/protocol'
import type { FastifyInstance } from 'fastify'
import { httpLimits } from './limits.ts'
import type { PlaneParts } from './plane.ts'
import { Problem, problemOfCode, problemOfRejection } from './problem.ts'
import { answeredElsewhere, type ForwardQuery, forwardQuery } from './reroute.ts'
import { problemAnswers } from './schemas.ts'
import { topicParams } from './topics.ts'

export function produceLinesRoute(app: FastifyInstance, parts: PlaneParts): void {
  const { records, topics } = parts.agent.operations
  const { random } = parts.agent.shared

  app.post<{ Params: { readonly topic: string }; Querystring: ForwardQuery; Body: Buffer | undefined }>(
    '/topics/:topic/produce',
    {
      bodyLimit: httpLimits.linesBodyBytes,
      config: { access: { operation: 'WRITE', resource: 'topic in path' } },
      schema: {
        operationId: 'produceLines',
        summary: 'Produce records, one JSON object per line',
        description:
          'Each line has the members of a record as it is read: `value` (a string, null for a tombstone, or any other JSON, which is stored as JSON text), and optionally `key`, `headers`, `timestamp` and `partition`. `keyEncoding` and `valueEncoding` may be `base64`; `offset` is ignored. ' +
          "Without `partition` the key decides, by the partitioner of Kafka's Java client; records without a key go to one partition of all, another one in each request. " +
          `At most ${fixedLimits.recordsPerAnswer} lines and ${httpLimits.linesBodyBytes / 1024 / 1024} MiB. Nothing is stored if a line is invalid. The answer has one element per line; a batch of one partition may be rejected alone, and its elements have \`error\` and \`message\`.`,
        tags: ['records'],
        params: topicParams,
        querystring: forwardQuery,
        consumes: ['application/x-ndjson'],
        response: { 200: producedSchema, ...problemAnswers(307, 400, 404, 413, 503) },
      },
    },
    async (request, reply) => {
      const [found] = await topics.find([request.params.topic], { autoCreate: false })
      if (found?.kind !== 'ok')
        throw found === undefined ? new Problem('unknownTopicOrPartition') : problemOfCode(found.code, found.message)
      const topic = found.value
      const withoutKey = Math.floor(random.next() * topic.partitions)
      const asked = linesOf(request.body).map((line, index) => recordOf(line, index + 1, { topic, withoutKey }))
      const answers = await records.append({
        topic: topic.name,
        records: asked,
        signal: request.requestContext.signal,
        producer: request.socket,
      })
      const elsewhere = answers.find((answer) => answer.kind === 'elsewhere')
      if (elsewhere !== undefined) return await answeredElsewhere(elsewhere, request, reply, parts)
      const produced = answers.map((answer, index) => {
        switch (answer.kind) {
          case 'appended':
            return { partition: answer.partition, offset: answer.offset, timestamp: answer.timestamp }
          case 'elsewhere':
            throw new Problem('notLeader')
          case 'key reused':
          case 'out of range':
          case 'damaged':
          case 'error': {
            const problem = answer.kind === 'key reused' ? new Problem('keyReused') : problemOfRejection(answer)
            return { partition: asked[index]?.partition, error: problem.row.error, message: problem.message, problem }
          }
        }
      })
      const first = produced.find((one) => 'problem' in one)
      if (first !== undefined && 'problem' in first && produced.every((one) => 'problem' in one)) throw first.problem
      return reply.send({ topic: topic.name, records: produced })
    },
  )
}

interface RecordLine {
  readonly partition?: number
  readonly timestamp?: number
  readonly key?: string | null
  readonly keyEncoding?: 'base64'
  readonly value: unknown
  readonly valueEncoding?: 'base64'
  readonly headers?: readonly { readonly key: string; readonly value: string | null; readonly valueEncoding?: 'base64' }[]
}

function linesOf(body: Buffer | undefined): readonly string[] {
  const lines = (body?.toString('utf8') ?? '').split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new Problem('badRequest', 'The body has no line: each line is one record, such as {"key":"k","value":"v"}.')
  if (lines.length > fixedLimits.recordsPerAnswer)
    throw new Problem('badRequest', `The body has ${lines.length} lines: use at most ${fixedLimits.recordsPerAnswer} in a request.`)
  return lines
}

function recordOf(
  line: string,
  lineNumber: number,
  { topic, withoutKey }: { readonly topic: Topic; readonly withoutKey: number },
): RecordToAppend {
  const record = checked(line, lineNumber)
  const key = record.key === undefined || record.key === null ? null : Buffer.from(record.key, record.keyEncoding ?? 'utf8')
  const partition = record.partition ?? (key === null ? withoutKey : partitionOfKey(key, topic.partitions))
  if (partition >= topic.partitions)
    throw new Problem('badRequest', `Line ${lineNumber}: topic '${topic.name}' has no partition ${partition}.`)
  return {
    partition,
    key,
    value: valueOf(record),
    headers: (record.headers ?? []).map(({ key: name, value, valueEncoding }) => ({
      key: name,
      value: value === null ? null : Buffer.from(value, valueEncoding ?? 'utf8'),
    })),
    ...(record.timestamp !== undefined && { timestamp: record.timestamp }),
  }
}

function valueOf({ value, valueEncoding }: RecordLine): Uint8Array | null {
  if (value === null) return null
  return typeof value === 'string' ? Buffer.from(value, valueEncoding ?? 'utf8') : Buffer.from(JSON.stringify(value))
}

const members = ['partition', 'timestamp', 'key', 'keyEncoding', 'value', 'valueEncoding', 'headers', 'offset']

/** The line as a record. Throws a problem that names the line and its first error. */
function checked(line: string, lineNumber: number): RecordLine {
  const wrong = (message: string): Problem => new Problem('badRequest', `Line ${lineNumber}: ${message}.`)
  const parsed = parsedJson(line)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw wrong('a record must be a JSON object')
  const record = parsed as Readonly<Record<string, unknown>>
  const unknown = Object.keys(record).find((name) => !members.includes(name))
  if (unknown !== undefined) throw wrong(`there is no member '${unknown.slice(0, 50)}'; a record has ${members.join(', ')}`)
  const { partition, timestamp, key, keyEncoding, value, valueEncoding, headers } = record
  if (value === undefined) throw wrong("the member 'value' is missing; null makes a tombstone")
  if (key !== undefined && key !== null && typeof key !== 'string') throw wrong("the member 'key' must be a string or null")
  for (const [name, number_] of [
    ['partition', partition],
    ['timestamp', timestamp],
  ] as const)
    if (number_ !== undefined && (!Number.isSafeInteger(number_) || Number(number_) < 0))
      throw wrong(`the member '${name}' must be a whole number of at least 0`)
  for (const [name, encoding, encoded] of [
    ['key', keyEncoding, key],
    ['value', valueEncoding, value],
  ] as const) {
    if (encoding !== undefined && encoding !== 'base64') throw wrong(`the member '${name}Encoding' can only be base64`)
    if (encoding === 'base64' && !isBase64(encoded)) throw wrong(`the member '${name}' is not valid base64`)
  }
  if (headers !== undefined && !(Array.isArray(headers) && headers.every(isHeader)))
    throw wrong("the member 'headers' must be a list of objects with a string 'key' and a 'value' that is a string or null")
  // The cast is safe: every member was checked above.
  return parsed as RecordLine
}

/** Undefined if the text is not JSON. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isHeader(header: unknown): boolean {
  if (typeof header !== 'object' || header === null || !('key' in header) || !('value' in header)) return false
  const { key, value } = header
  const encoding = 'valueEncoding' in header ? header.valueEncoding : undefined
  if (typeof key !== 'string' || (value !== null && typeof value !== 'string')) return false
  return encoding === undefined || (encoding === 'base64' && isBase64(value))
}

function isBase64(text: unknown): boolean {
  return text === null || (typeof text === 'string' && text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text))
}

const producedSchema = {
  description: 'The places of the records, in the order of the lines',
  type: 'object',
  required: ['topic', 'records'],
  properties: {
    topic: { type: 'string' },
    records: {
      type: 'array',
      items: {
        type: 'object',
        required: ['partition'],
        properties: {
          partition: { type: 'integer' },
          offset: { type: 'integer' },
          timestamp: { type: 'integer', description: 'Milliseconds since the epoch.' },
          error: { type: 'string', description: 'Present when this record was rejected.' },
          message: { type: 'string' },
        },
      },
    },
  },
} as const
