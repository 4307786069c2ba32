// The report of a wait that timed out: topics with their ends, the last records, groups with members and lag, clients. For a terminal of 80 columns.
import { type AgentOperations, errorText, type Topic } from '@local-kafka-service/agent'
import { counted } from '../counted.ts'
import type { ConnectedClient } from './event-listeners.ts'
import type { GroupDescription } from './group.ts'
import { groupState, lagOf } from './group-state.ts'
import { recordOf } from './read-records.ts'
import type { KafkaRecord } from './record.ts'
import { recordText } from './record-text.ts'

export interface ReportAsk {
  readonly operations: AgentOperations
  readonly clients: readonly ConnectedClient[]
  /** The last errors that clients received, as text, oldest first. */
  readonly lastErrors: readonly string[]
  /** The topic of the wait. Undefined: the wait was for a group. */
  readonly topic?: string
}

const width = 80
/** The number of lines of each kind before the rest is only counted. */
const most = { topics: 12, partitions: 12, records: 5, groups: 6, members: 8, lagging: 8, errors: 8 }

/** Lines without a line feed at the end. A part that cannot be determined says so: a report must not hide the failure that it belongs to. */
export async function report(ask: ReportAsk): Promise<string> {
  const { operations } = ask
  const sections: (() => Promise<readonly string[]>)[] = [
    async () => (ask.topic === undefined ? await topicLines(operations, undefined) : await oneTopicLines(operations, ask.topic)),
    () => groupLines(operations),
    async () => clientLines(ask.clients),
    async () => errorLines(ask.lastErrors),
  ]
  const lines: string[] = []
  for (const section of sections) {
    try {
      lines.push(...(await section()))
    } catch (error) {
      lines.push(`  (not known: ${errorText(error)})`)
    }
  }
  return lines.map((line) => cut(line)).join('\n')
}

/** The topic of the wait in full, the others as counts. */
async function oneTopicLines(operations: AgentOperations, name: string): Promise<readonly string[]> {
  const topics = await operations.topics.list()
  const topic = topics.find((one) => one.name === name)
  if (topic === undefined) return [`  Topic '${name}' does not exist.`, ...(await topicLines(operations, undefined))]
  const ends = await endsOf(operations, topic)
  const total = ends.reduce((sum, { start, end }) => sum + end - start, 0)
  const lines = [`  ${name}: ${counted(total, 'record')} in ${counted(topic.partitions, 'partition')}`]
  const shown = ends.filter(({ start, end }) => end > start || topic.partitions <= 3).slice(0, most.partitions)
  for (const { partition, start, end } of shown)
    lines.push(`    [${partition}]  ${end === start ? `empty, next is @${end}` : `@${start} to @${end - 1}`}`)
  if (shown.length < topic.partitions) lines.push(`    and ${counted(topic.partitions - shown.length, 'more partition')}`)
  const records = await lastRecords(operations, name, ends)
  if (records.length > 0)
    lines.push('  the last records, newest first:', ...records.map((record) => `    ${recordText(record, width - 4)}`))
  return [...lines, ...(await topicLines(operations, name))]
}

async function topicLines(operations: AgentOperations, without: string | undefined): Promise<readonly string[]> {
  const topics = (await operations.topics.list()).filter(({ name }) => name !== without)
  if (topics.length === 0) return without === undefined ? ['  There are no topics.'] : []
  const lines = [without === undefined ? '  topics:' : '  other topics:']
  for (const topic of topics.slice(0, most.topics)) {
    const total = (await endsOf(operations, topic)).reduce((sum, { start, end }) => sum + end - start, 0)
    lines.push(`    ${topic.name}  ${counted(total, 'record')} in ${counted(topic.partitions, 'partition')}`)
  }
  if (topics.length > most.topics) lines.push(`    and ${topics.length - most.topics} more`)
  return lines
}

interface PartitionEnds {
  readonly partition: number
  readonly start: number
  readonly end: number
}

async function endsOf({ records }: AgentOperations, { topicId, partitions }: Topic): Promise<readonly PartitionEnds[]> {
  const asks = Array.from({ length: Math.min(partitions, 1_000) }, (_, partition) => ({ topicId, partition }))
  const states = await records.ends(asks)
  return states.flatMap((state, partition) =>
    state === undefined ? [] : [{ partition, start: state.logStartOffset, end: state.highWatermark }],
  )
}

async function lastRecords({ records }: AgentOperations, topic: string, ends: readonly PartitionEnds[]): Promise<readonly KafkaRecord[]> {
  const found: KafkaRecord[] = []
  for (const { partition, start, end } of ends.filter((one) => one.end > one.start).slice(0, most.partitions)) {
    const answer = await records.read({
      topic,
      partition,
      from: { offset: Math.max(start, end - most.records) },
      limit: most.records,
      maxBytes: 1_048_576,
      waitMs: 0,
      signal: new AbortController().signal,
    })
    if (answer.kind === 'records') found.push(...answer.records.map((record) => recordOf(topic, record)))
  }
  return found.toSorted((a, b) => b.timestamp - a.timestamp || b.offset - a.offset).slice(0, most.records)
}

async function groupLines(operations: AgentOperations): Promise<readonly string[]> {
  const listed = await operations.groups.list()
  if (listed.length === 0) return ['  There are no consumer groups.']
  const lines: string[] = []
  for (const { groupId } of listed.slice(0, most.groups)) {
    const group = await groupState(operations, groupId)
    if (group !== undefined) lines.push(...oneGroupLines(group))
  }
  if (listed.length > most.groups) lines.push(`  and ${listed.length - most.groups} more groups`)
  return lines
}

function oneGroupLines(group: GroupDescription): readonly string[] {
  const lag = lagOf(group)
  const lines = [`  group ${group.id}: ${group.state}, ${counted(group.members.length, 'member')}, lag ${lag}`]
  for (const { memberId, clientId, assigned, partitions } of group.members.slice(0, most.members)) {
    const has = partitions.length === 0 ? 'nothing' : partitions.map(({ topic, partition }) => `${topic}[${partition}]`).join(' ')
    // Clients build the id from their name and a random part: the name is enough if it is unique.
    const name =
      memberId.startsWith(clientId) && clientId !== '' ? `${clientId}${memberId.slice(clientId.length, clientId.length + 9)}…` : memberId
    lines.push(`    ${name}  ${assigned ? 'has' : 'waits for'} ${has}`)
  }
  if (group.members.length > most.members) lines.push(`    and ${group.members.length - most.members} more members`)
  const behind = group.partitions.filter((one) => one.lag > 0)
  for (const { topic, partition, committed, end, lag: by } of behind.slice(0, most.lagging))
    lines.push(
      `    ${topic}[${partition}]  ${committed === undefined ? 'no committed offset' : `committed @${committed}`}, end @${end}, lag ${by}`,
    )
  if (behind.length > most.lagging) lines.push(`    and ${behind.length - most.lagging} more partitions behind`)
  return lines
}

function clientLines(clients: readonly ConnectedClient[]): readonly string[] {
  if (clients.length === 0) return ['  No client is connected.']
  const counts = new Map<string, number>()
  for (const { clientId } of clients) counts.set(clientId, (counts.get(clientId) ?? 0) + 1)
  const named = [...counts].map(([clientId, count]) => `${clientId === '' ? '(no name)' : clientId}${count === 1 ? '' : ` ×${count}`}`)
  return [`  connected clients: ${named.join(', ')}`]
}

function errorLines(errors: readonly string[]): readonly string[] {
  if (errors.length === 0) return []
  return ['  the last errors that clients received:', ...errors.slice(-most.errors).map((line) => `    ${line}`)]
}

function cut(line: string): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}
