// The output of a server when it is ready: the first screen on a terminal, one line of JSON elsewhere.
import { storePrices, text } from '@local-kafka-service/agent'
import { flushPolicy } from 'local-kafka-service/internal/server/flush-policy'
import { metadataAt, objectsAt } from 'local-kafka-service/internal/server/places'
import type { Server } from 'local-kafka-service/internal/server/server'
import { isLoopback, type ServerPlan } from 'local-kafka-service/internal/server/server-plan'
import { folded } from './output/folded.ts'

export interface FirstScreen {
  readonly server: Pick<Server, 'kafka' | 'http' | 'recovered'>
  readonly plan: ServerPlan
  /** What counts for topics without a `retention.ms`, now: it can change at run time. */
  readonly retentionMs: number
  readonly version: string
  /** Since the start of the process. */
  readonly ms: number
  readonly pid: number
  /** How this installation calls another command: `npx lks`. */
  readonly lks: string
  /** The terminal's width; no line is longer, except for unbreakable text. */
  readonly columns: number
}

/** For programs: one line, whose keys are a contract. */
export function readyLine({ server, ms, pid }: FirstScreen): string {
  const { http } = server
  return `${JSON.stringify({
    event: 'ready',
    kafka: kafkaAddress(server),
    urls: http === undefined ? {} : { control: http.control.url, data: http.data.url },
    ms,
    pid,
  })}\n`
}

/** For people. */
export function firstScreen({ server, plan, retentionMs, version, ms, lks, columns }: FirstScreen): string {
  const { http } = server
  const kafka = shown(kafkaAddress(server))
  const rows: (readonly [name: string, value: string])[] = [['Kafka', kafka]]
  if (http !== undefined) {
    const control = shown(http.control.url)
    const data = shown(http.data.url)
    rows.push(
      ['Console', `${control}/${moved(http.control.movedFrom)}`],
      ['Control API', `${control}/topics`],
      ['Data API', `${data}/topics/{topic}/produce/{partition}${moved(http.data.movedFrom)}`],
      ['API docs', `${control}/docs`],
    )
  }
  if (plan.topics !== undefined && plan.topics.length > 0) rows.push(['Topics', plan.topics.map(({ name }) => name).join(', ')])
  rows.push(['Storage', storage(plan)], ['Durability', durability(plan)], ['Retention', retention(retentionMs)])
  const requests = storeRequests(plan)
  if (requests !== undefined) rows.push(['Store requests', requests])
  if (server.recovered !== undefined && server.recovered.unreadable > 0) rows.push(['Lost', lost(server.recovered)])
  if (plan.storeLatencyMs > 0) rows.push(['Store latency', `${plan.storeLatencyMs} ms more for every request to the object store`])
  if (plan.hosts.some((host) => !isLoopback(host)))
    rows.push(['Open to', `every client that reaches ${plan.hosts.join(', ')}: there is no authentication`])
  const at = kafka === standardAddress ? '' : ` -b ${kafka}`
  const tries = [
    ...(http === undefined
      ? [`echo key:value | ${lks} produce hello -K :${at}`]
      : [
          `curl -X POST ${withoutScheme(http.control.url)}/topics -d '{"name":"hello"}'`,
          `curl -X POST ${withoutScheme(http.data.url)}/topics/hello/produce/0 -d "key:value"`,
        ]),
    `${lks} consume hello${at}`,
  ]
  const lines = [
    '',
    `lks ${version}   ready in ${ms} ms`,
    '',
    ...rows.flatMap(([name, value]) => row(name, value, columns)),
    '',
    'Try:',
    ...tries.map((line) => `  ${line}`),
    '',
    'Ctrl-C stops it.',
    '',
  ]
  return lines.map((line) => (line === '' ? '\n' : `  ${line}\n`)).join('')
}

/** The address that commands use by default. */
const standardAddress = 'localhost:9092'
const nameColumns = 17
const indentation = 2

/** A value that is too long continues on the next line. */
function row(name: string, value: string, columns: number): readonly string[] {
  return folded(value, columns - nameColumns - indentation).map(
    (line, at) => `${(at === 0 ? name : '').padEnd(nameColumns)}${line.replaceAll(unbrokenBlank, ' ')}`,
  )
}

/** A placeholder for a blank at which a row must not be broken. No path can contain it. */
const unbrokenBlank = '\0'

/** A path is pasted into a shell, so it stays on one line, even with blanks in it. */
function unbroken(path: string): string {
  return path.replaceAll(' ', unbrokenBlank)
}

function kafkaAddress({ kafka }: FirstScreen['server']): string {
  const [first] = kafka
  if (first === undefined) return ''
  const host = first.host === '0.0.0.0' ? '127.0.0.1' : first.host === '::' ? '::1' : first.host
  return `${host.includes(':') ? `[${host}]` : host}:${first.port}`
}

/** A name is easier to read than an address. */
function shown(address: string): string {
  return address.replace('127.0.0.1', 'localhost')
}

function withoutScheme(url: string): string {
  return shown(url).replace('http://', '')
}

function moved(from: number | undefined): string {
  return from === undefined ? '' : ` (${from} was in use)`
}

function storage(plan: ServerPlan): string {
  const { objects, metadata, dataDirectory } = plan
  if (objects.kind === 'memory' && metadata.kind === 'memory') return 'memory (lost when the server stops; omit --memory to keep it)'
  if (dataDirectory !== undefined && objects.kind === 'directory' && metadata.kind === 'sqlite')
    return `${unbroken(dataDirectory)} (kept between runs; use --memory to keep nothing)`
  return `${unbroken(objectsAt(plan))}, metadata in ${unbroken(metadataAt(plan))}`
}

/** What a server may cost that has not sent a request yet. Undefined: requests cost nothing. */
function storeRequests({ objects, settings }: ServerPlan): string | undefined {
  const prices = objects.kind === 's3' ? storePrices(settings) : undefined
  if (prices === undefined) return undefined
  const { putsPerSecond, putsPerSecondMax } = flushPolicy(settings, { putsCost: true })
  const hourly = (perSecond: number): readonly [count: string, dollars: string] => {
    const count = Math.round(perSecond * 3_600)
    return [count.toLocaleString('en-US'), `$${dollars(count * prices.perPut)}`]
  }
  const [puts, cost] = hourly(putsPerSecond)
  const budget = `up to ${puts} PUTs an hour (${cost})`
  if (putsPerSecondMax === undefined) return budget
  const [most, mostCost] = hourly(putsPerSecondMax)
  return `${budget}, ${most} (${mostCost}) under load`
}

function dollars(amount: number): string {
  return amount >= 0.01 || amount === 0 ? amount.toFixed(2) : amount.toPrecision(1)
}

function durability({ objects, metadata, settings }: ServerPlan): string {
  if (objects.kind === 's3' && metadata.kind === 'postgres') return 'acknowledged records are in S3 and PostgreSQL'
  const messages = objects.kind === 's3' ? 'messages are in S3 when acknowledged, metadata ' : ''
  switch (text(settings, 'durability')) {
    case 'strict':
      return `strict: ${messages === '' ? 'every acknowledged record ' : messages}survives a power loss`
    case 'memory':
      return 'memory: nothing survives the end of this process'
    case undefined:
    default:
      return `os: ${messages}survives kill -9, not a power loss (--durability strict)`
  }
}

/** What counts for topics without a retention of their own. */
function retention(ageMs: number): string {
  if (ageMs < 0) return 'records are kept, unless their topic has a retention.ms'
  const days = ageMs / 86_400_000
  const age = Number.isInteger(days) && days > 0 ? `${days} day${days === 1 ? '' : 's'}` : `${ageMs} ms`
  return `records are removed after ${age}, unless their topic has a retention.ms`
}

function lost({ cuts, unreadable }: NonNullable<Server['recovered']>): string {
  const records = cuts.reduce((sum, { offsets }) => sum + offsets, 0)
  const where = `${cuts.length} partition${cuts.length === 1 ? '' : 's'}`
  return `${records} record${records === 1 ? '' : 's'} at the end of ${where}: ${unreadable} of the newest objects did not survive the power loss`
}
