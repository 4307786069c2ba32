// Which producer gets which error: each request of a transactional producer, in each state of its transaction, by the present producer and by others, sent to both servers.
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  type Api,
  EndTxn,
  errorName,
  InitProducerId,
  Produce,
  TxnOffsetCommit,
} from '@local-kafka-service/protocol'
import { type ComparedServer, Conversation } from './conversation.ts'
import {
  adding,
  ended,
  groupAdded,
  offsetsOf,
  others,
  type Producer,
  producing,
  thirdProducer,
  timeoutMs,
  transactionTopic,
  written,
} from './tables/transaction-parts.ts'

interface AskedRequest {
  readonly api: Api
  readonly versions: readonly [first: number, last: number]
  readonly words: string
  /** The error code of the answer. */
  readonly ask: (with_: Conversation, found: Found, topic: string) => Promise<number | undefined>
}

const requests: readonly AskedRequest[] = [
  {
    api: InitProducerId,
    // The first version that names a producer.
    versions: [3, InitProducerId.versions[1]],
    words: 'InitProducerId with a producer id and epoch',
    ask: async (with_, { producer }) => (await with_.send(InitProducerId, { ...producer, transactionTimeoutMs: timeoutMs })).errorCode,
  },
  {
    api: AddPartitionsToTxn,
    // Later ones are for brokers.
    versions: [0, 3],
    words: 'AddPartitionsToTxn',
    ask: async (with_, { producer }, topic) => {
      const { resultsByTopicV3AndBelow: results } = await with_.send(AddPartitionsToTxn, adding(producer, [[topic, [0]]]))
      return results[0]?.resultsByPartition[0]?.partitionErrorCode
    },
  },
  {
    api: AddOffsetsToTxn,
    versions: AddOffsetsToTxn.versions,
    words: 'AddOffsetsToTxn',
    ask: async (with_, { producer }) => (await with_.send(AddOffsetsToTxn, { ...producer, groupId: with_.name('group') })).errorCode,
  },
  {
    api: Produce,
    versions: Produce.versions,
    words: 'Produce of a transactional batch',
    ask: async (with_, { producer, baseSequence }, topic) => {
      const { responses } = await with_.send(Produce, producing(with_, producer, { name: topic, baseSequence }))
      return responses[0]?.partitionResponses[0]?.errorCode
    },
  },
  {
    api: TxnOffsetCommit,
    versions: TxnOffsetCommit.versions,
    words: 'TxnOffsetCommit',
    ask: async (with_, { producer }, topic) => {
      const { topics } = await with_.send(TxnOffsetCommit, offsetsOf(with_, producer, topic))
      return topics[0]?.partitions[0]?.errorCode
    },
  },
  {
    api: EndTxn,
    versions: EndTxn.versions,
    words: 'EndTxn, a commit',
    ask: async (with_, { producer }) => (await with_.send(EndTxn, { ...producer, committed: true })).errorCode,
  },
]

/** What a request finds. The present epoch of the id is that of the producer. */
interface Found {
  readonly producer: Producer
  /** Of the next record in partition 0. */
  readonly baseSequence: number
}

const states: readonly (readonly [words: string, reach: (with_: Conversation, topic: string) => Promise<Found>])[] = [
  ['no transaction was begun', async (with_) => ({ producer: await thirdProducer(with_), baseSequence: 0 })],
  [
    'a transaction is open, and has the partition and the group',
    async (with_, topic) => ({ producer: await open(with_, topic), baseSequence: 1 }),
  ],
  [
    'the last transaction was committed by EndTxn 5',
    async (with_, topic) => ({ producer: await ended(with_, await open(with_, topic), true), baseSequence: 0 }),
  ],
]

async function open(with_: Conversation, topic: string): Promise<Producer> {
  const producer = await thirdProducer(with_)
  await written(with_, producer, topic)
  await groupAdded(with_, producer, with_.name('group'))
  return producer
}

const producers: readonly (readonly [words: string, of: (producer: Producer) => Producer])[] = [
  ['the present producer', (producer) => producer],
  ...others,
]

/** A cell of the page: one request in one version. */
interface Cell {
  readonly of: AskedRequest
  readonly version: number
  readonly state: number
  readonly producer: number
}

const cells: readonly Cell[] = requests.flatMap((of) =>
  range(of.versions).flatMap((version) =>
    states.flatMap((_, state) => producers.map((__, producer) => ({ of, version, state, producer }))),
  ),
)

/** Sends every request of the page to both servers, and returns the page. */
export async function fencingPage(servers: { readonly kafka: ComparedServer; readonly ours: ComparedServer }): Promise<string> {
  const answers = new Map<Cell, string>()
  // Version by version, and first all states: Kafka verifies several requests at once, and answers all of them as it answers the version of one.
  for (const together of Map.groupBy(cells, ({ of, version }) => `${of.words} ${version}`).values()) {
    const reached = await Promise.all(
      together.map(async (cell) => ({
        cell,
        servers: await Promise.all([servers.kafka, servers.ours].map((server) => reach(server, cell))),
      })),
    )
    await Promise.all(
      reached.map(async ({ cell, servers: both }) => {
        const [kafka, ours = ''] = await Promise.all(both.map((asking) => answered(asking, cell)))
        answers.set(cell, kafka === ours ? ours : `**${ours}** (Kafka: ${kafka})`)
      }),
    )
  }
  return pageOf((cell) => answers.get(cell) ?? '')
}

interface Asking {
  readonly conversation: Conversation
  readonly found: Found
  readonly topic: string
}

async function reach(server: ComparedServer, cell: Cell): Promise<Asking> {
  const { of, version, state } = cell
  const conversation = new Conversation({ api: of.api, version, slug: `fencing-${cells.indexOf(cell)}`, server })
  const topic = await conversation.shared('fencing', transactionTopic)
  const [, toReach] = states[state] ?? unreachable()
  return { conversation, found: await toReach(conversation, topic), topic }
}

async function answered({ conversation, found, topic }: Asking, { of: { ask }, producer }: Cell): Promise<string> {
  const [, of] = producers[producer] ?? unreachable()
  const code = await ask(conversation, { ...found, producer: of(found.producer) }, topic)
  conversation.end()
  return code === 0 ? '–' : (errorName(code ?? -1) ?? String(code))
}

/** Versions with the same answers share a row. */
function pageOf(answerOf: (cell: Cell) => string): string {
  const tables = requests.map((request) => {
    const rows = states.flatMap(([state], stateAt) => {
      const byAnswers = Map.groupBy(range(request.versions), (version) => {
        const own = cells.filter((cell) => cell.of === request && cell.version === version && cell.state === stateAt)
        return own.map(answerOf).join(' | ')
      })
      return [...byAnswers].map(([answers, versions]) => `| ${state} | ${spanOf(versions)} | ${answers} |`)
    })
    const columns = ['state', 'versions', ...producers.map(([words]) => words)]
    return [`## ${request.words}`, '', `| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...rows].join('\n')
  })
  return `${introduction}\n\n${tables.join('\n\n')}\n`
}

function spanOf(versions: readonly number[]): string {
  const [first, last] = [versions[0], versions.at(-1)]
  return first === last ? String(first) : `${first}–${last}`
}

function range([first, last]: readonly [number, number]): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

function unreachable(): never {
  throw new Error('a cell names a state and a producer that exist')
}

const introduction = `# Errors of transactional producers

<!-- The differential test writes this page: it sends each request to Apache Kafka 4.3 and to this server. Run it with -u to write the page again. -->

The tables show which producer gets which error. A dash is an answer without an error. A cell with one answer is that of both servers; otherwise the answer of this server is bold, and Kafka's is in
parentheses. [Differences from Apache Kafka](kafka-differences.md) has the reasons.

The present producer has the producer id and epoch that the coordinator knows. The last epoch is one below it, an older epoch two.`
