// The same requests, in every version, to this server and to Apache Kafka: each field of the answers is equal, or a row of differences.ts explains it.
import { FindCoordinator, InitProducerId, Metadata, OffsetCommit } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { handlers } from '../../../packages/agent/src/api/index.ts'
import { inVersions } from '../../../packages/protocol/src/schema/versions.ts'
import { hasKafkaBroker, type KafkaBroker, startKafkaBroker } from '../testing/kafka-broker.ts'
import { type ServerProcess, startServer } from '../testing/server.ts'
import { explanationOf, type FoundDifference, foundIn } from './comparison.ts'
import { type ComparedServer, Conversation, Ended } from './conversation.ts'
import { compareDamagedBatches } from './damaged-batches.ts'
import { type Difference, differences } from './differences.ts'
import { fencingPage } from './fencing.ts'
import { type Normal, normalTranscript, type Speaker } from './normal-form.ts'
import type { RequestRow } from './row.ts'
import { tables } from './tables/index.ts'
import { warmTransactions } from './tables/transaction-parts.ts'

/** `LKS_SEED=2 LKS_BATCHES=10000` sends others, and more. */
const damagedBatches = { seed: Number(process.env.LKS_SEED ?? 1), batches: Number(process.env.LKS_BATCHES ?? 500) }

const rowCount = tables.reduce((sum, { versions }) => sum + versions.length, 0)

test('the tables have at least 400 requests, each in a version', () => expect(rowCount).toBeGreaterThanOrEqual(400))

test('every API that is advertised has a request in each of its versions', () => {
  // A version that is advertised and not served has a row of its own.
  const asked = new Set(
    tables.flatMap(({ api, what, versions }) => [what, ...versions.map(versionWords)].map((words) => `${api.name} ${words}`)),
  )
  const advertised = handlers.flatMap(({ api }) => {
    const [min, max] = api.advertised ?? api.versions
    return Array.from({ length: max - min + 1 }, (_, index) => `${api.name} ${versionWords(min + index)}`)
  })
  expect(advertised.filter((one) => !asked.has(one))).toEqual([])
})

test('every row has a version', () => expect(tables.filter(({ versions }) => versions.length === 0).map(({ what }) => what)).toEqual([]))

test('every row names differences that exist, of its API', () => {
  for (const { api, differs } of tables) {
    for (const id of differs) expect(differences.find((difference) => difference.id === id)?.api, id).toBe(api.name)
  }
})

if (process.env.CI === 'true') test('KAFKA_CLASSPATH names a broker', () => expect(hasKafkaBroker()).toBe(true))

describe.skipIf(!hasKafkaBroker())('against Apache Kafka', () => {
  let broker: KafkaBroker
  let process: ServerProcess
  let servers: { readonly kafka: ComparedServer; readonly ours: ComparedServer }
  beforeAll(async () => {
    // Two of the defaults of `lks dev` are not Kafka's.
    const env = { LKS_GROUP_LEAVE_ON_DISCONNECT: 'false', LKS_GROUP_MIN_SESSION_TIMEOUT_MS: '6000' }
    ;[broker, process] = await Promise.all([startKafkaBroker(), startServer({ args: ['--memory'], env })])
    servers = { kafka: await warm(broker.kafka), ours: await warm(process.kafka) }
  })
  afterAll(async () => {
    await process?.[Symbol.asyncDispose]()
    await broker?.[Symbol.asyncDispose]()
  })

  /** What has occurred: `id at version`. */
  const occurred = new Set<string>()
  const held = new Set<RequestRow>()

  describe.each([...new Set(tables.map(({ api }) => api))])('$name', (api) => {
    const rows = tables.filter((row) => row.api === api).map((row) => ({ ...row, row, span: spanOf(row) }))
    test.concurrent.each(rows.filter((row) => !row.alone))('$what ($span)', async ({ row }) => await compare(row))
    test.each(rows.filter((row) => row.alone))('$what ($span)', async ({ row }) => await compare(row))
  })

  async function compare(row: RequestRow): Promise<void> {
    const unexplained = new Map<string, number[]>()
    for (const version of row.versions) {
      const [kafka, ours] = await Promise.all([heldWith(servers.kafka, row, version), heldWith(servers.ours, row, version)])
      const candidates = differences.filter((difference) => mayExplain(difference, row, version))
      for (const found of foundIn({ kafka: normalTranscript(kafka), ours: normalTranscript(ours) })) {
        const explanation = explanationOf(found, candidates)
        if (explanation === undefined) note(unexplained, textOf(found), version)
        else occurred.add(`${explanation.id} at ${version}`)
      }
    }
    held.add(row)
    expect(Array.from(unexplained, ([text, versions]) => `${versions.join(' ')}: ${text}`)).toEqual([])
  }

  test('the page about errors of transactional producers says what both servers answer', { timeout: 600_000 }, async () => {
    await expect(await fencingPage(servers)).toMatchFileSnapshot('../../../docs/reference/transaction-errors.md')
  })

  test('damaged batches of every codec get the same error, or give their readers the same records', { timeout: 120_000 }, async () => {
    const { rejected, appended } = await compareDamagedBatches(servers, damagedBatches)
    expect(Math.min(rejected, appended)).toBeGreaterThan(damagedBatches.batches / 20)
  })

  test('every accepted difference still occurs, in each version that it names', () => {
    const gone = differences.flatMap((difference) => {
      if (!('fields' in difference.evidence)) return []
      const claiming = tables.filter((row) => row.versions.some((version) => mayExplain(difference, row, version)))
      // Only some of the tests ran: nothing is known.
      if (!claiming.every((row) => held.has(row))) return []
      const versions = new Set(claiming.flatMap((row) => row.versions.filter((version) => mayExplain(difference, row, version))))
      if (versions.size === 0) return [`${difference.id}: no row names it`]
      return [...versions].map((version) => `${difference.id} at ${version}`).filter((at) => !occurred.has(at))
    })
    expect(gone).toEqual([])
  })
})

function versionWords(version: number): string {
  return `version ${version}`
}

function mayExplain({ id, api, versions, everywhere }: Difference, row: RequestRow, version: number): boolean {
  return api === row.api.name && inVersions(versions, version) && (everywhere === true || row.differs.includes(id))
}

async function heldWith(server: ComparedServer, row: RequestRow, version: number): Promise<Speaker> {
  const conversation = new Conversation({ api: row.api, version, slug: `t${tables.indexOf(row)}-${version}`, server })
  try {
    await row.talk(conversation)
  } catch (error) {
    if (!(error instanceof Ended)) throw error
  } finally {
    conversation.end()
  }
  return conversation
}

/** Kafka creates its internal topics at their first use, which the rows do not test. After it, the cluster id and the coordinators are known. */
async function warm(address: string): Promise<ComparedServer> {
  const [host = '', port] = address.split(':')
  const unknown: ComparedServer = { host, port: Number(port), nodeId: -1, clusterId: '', shared: new Map() }
  const conversation = new Conversation({ api: Metadata, version: 12, slug: 'warm', server: unknown })
  const { brokers, clusterId } = await conversation.ask(Metadata, { topics: [] })
  await conversation.until(FindCoordinator, { coordinatorKeys: ['warm'] }, ({ coordinators: [first] }) => first?.errorCode === 0)
  await conversation.until(InitProducerId, { transactionalId: null, transactionTimeoutMs: 1000 }, ({ errorCode }) => errorCode === 0)
  const topic = await conversation.topic()
  const partitions = [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }]
  const commit = { groupId: 'warm', topics: [{ topicId: conversation.idOf(topic), partitions }], memberId: '' }
  await conversation.until(OffsetCommit, commit, ({ topics }) => topics[0]?.partitions[0]?.errorCode === 0)
  await warmTransactions(conversation)
  conversation.end()
  const [broker] = brokers
  if (brokers.length !== 1 || broker === undefined || clusterId === null) throw new Error(`${address} is not one broker with a cluster`)
  return { ...unknown, nodeId: broker.nodeId, clusterId }
}

function textOf({ where, field, kafka, ours }: FoundDifference): string {
  return `${where} (${field}): Kafka ${asText(kafka)}, ours ${asText(ours)}`
}

function asText(value: Normal | undefined): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}

function note(texts: Map<string, number[]>, text: string, version: number): void {
  // A row's own names have its version in them, and so do its texts.
  const plain = text.replaceAll(new RegExp(`(?:id of )?t\\d+-${version}-`, 'g'), '')
  texts.set(plain, [...(texts.get(plain) ?? []), version])
}

function spanOf({ versions }: RequestRow): string {
  return versions.length === 1 ? `${versions[0]}` : `${versions[0]}–${versions.at(-1)}`
}
