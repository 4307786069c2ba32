// The work of `lks consume`: reads partitions, alone or as a member of a group, and prints their records.
import { errorText } from '@local-kafka-service/agent/native-error'
import type { Consumer } from '@platformatic/kafka'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { CommandContext, ParsedCommand } from '../client-command.ts'
import { closeBy, openMember, openReader, partitionsOf } from './clients.ts'
import { clusterRetries } from './cluster-retries.ts'
import { DataSink } from './data-sink.ts'
import { readAsMember } from './group-reader.ts'
import { type IsolationLevel, isolationOf } from './isolation.ts'
import { OffsetCommitter } from './offset-committer.ts'
import { type OffsetRange, parseOffsetRange } from './offset-range.ts'
import { offsetsOf, readingsOf } from './partition-offsets.ts'
import { readPartitions } from './partition-reader.ts'
import { parseFilter, type RecordMatcher } from './record-filter.ts'
import { printerOf, type RecordPrinter } from './record-printer.ts'
import { printRecords } from './record-printing.ts'
import { topicsNamed } from './topics-named.ts'

interface ConsumePlan {
  readonly topics: readonly string[]
  /** Empty: all partitions. */
  readonly partitions: readonly number[]
  readonly range: OffsetRange
  /** Infinity: no limit. */
  readonly count: number
  readonly keeps: RecordMatcher
  readonly print: RecordPrinter
  readonly isolation: IsolationLevel
}

/** Resolves at the end, and on Ctrl-C, which is the normal end of following. Rejects with a UserError or an error of the client library. */
export async function runConsume(given: ParsedCommand, context: CommandContext): Promise<void> {
  const plan = { ...planOf(given, context), topics: await topicsNamed(given.arguments, context) }
  const group = given.option('group')
  if (plan.count === 0) return
  try {
    if (group === undefined) await consumeAlone(plan, context)
    else await consumeAsMember(plan, group, context)
  } catch (error) {
    if (!context.signal.aborted) throw error
  }
}

function planOf(given: ParsedCommand, { terminal }: CommandContext): Omit<ConsumePlan, 'topics'> {
  const group = given.option('group')
  const format = given.option('format')
  const output = given.option('output')
  const partitions = given.options('partition').map(Number)
  if (group !== undefined && partitions.length > 0) {
    throw new UserError('LKS-1005', {
      what: '--group and --partition exclude each other',
      why: 'the group assigns partitions to its members',
      fix: ['remove one of them'],
    })
  }
  if (format !== undefined && output !== undefined && output !== 'table') {
    throw new UserError('LKS-1005', { what: '--format and --output exclude each other', fix: ['remove one of them'] })
  }
  const pretty = given.flag('pretty')
  if (pretty && (format !== undefined || output === 'name'))
    throw new UserError('LKS-1005', {
      what: `--pretty and ${format === undefined ? '--output name' : '--format'} exclude each other`,
      fix: ['remove one of them'],
    })
  const parsed = parseOffsetRange(given.option('offset') ?? 'start', { nowMs: Date.now() })
  const filter = given.option('grep')
  const keeps = filter === undefined ? undefined : parseFilter(filter)
  // The command line has validated both.
  if (parsed.kind === 'wrong') throw new RangeError(parsed.why)
  if (keeps?.kind === 'wrong') throw new RangeError(keeps.why)
  const until = parsed.range.until ?? (given.flag('exit') ? { kind: 'end' } : undefined)
  return {
    partitions,
    range: { from: parsed.range.from, until },
    count: Number(given.option('count') ?? Infinity),
    keeps: keeps?.keeps ?? (() => true),
    print: printerOf({ format, output, pretty }, terminal),
    isolation: isolationOf(given),
  }
}

async function consumeAlone(plan: ConsumePlan, context: CommandContext): Promise<void> {
  const { signal, connection, terminal } = context
  const client = await openReader(connection, plan.topics)
  try {
    const report = teller(context)
    const retries = clusterRetries({ waitMs: retryMs(plan), signal, report })
    const readings = []
    for (const topic of plan.topics) {
      const partitions = await partitionsOf(client, { topic, wanted: plan.partitions })
      readings.push(...(await retries.run(() => readingsOf(client, { topic, partitions, range: plan.range, isolation: plan.isolation }))))
    }
    const whole = plan.partitions.length === 0 && plan.range.until === undefined ? plan.topics : []
    const blocks = readPartitions({ client, readings, whole, retries, isolation: plan.isolation, signal, report })
    await printRecords(blocks, { ...plan, sink: new DataSink(terminal.data), signal, printed: () => {} })
  } finally {
    await closeBy(client)
  }
}

async function consumeAsMember(plan: ConsumePlan, group: string, context: CommandContext): Promise<void> {
  const { signal, connection, terminal } = context
  const report = teller(context)
  const client = await openReader(connection, plan.topics)
  const member = await openMember(connection, group)
  const committer = new OffsetCommitter(member)
  using _ = terminal.withoutReader(() => leave(member, committer, report))
  try {
    const retries = clusterRetries({ waitMs: retryMs(plan), signal, report })
    for (const topic of plan.topics) {
      const partitions = await partitionsOf(client, { topic, wanted: [] })
      // Unreachable leaders are detected before the group waits for this member.
      await retries.run(() => offsetsOf(client, { topic, partitions, at: 'start' }))
    }
    const { topics, range, isolation } = plan
    const blocks = readAsMember({ member, committer, client, retries, topics, range, isolation, signal, report })
    await printRecords(blocks, { ...plan, sink: new DataSink(terminal.data), signal, printed: (place) => committer.printed(place) })
  } finally {
    await leave(member, committer, report)
    await closeBy(client)
  }
}

/** Commits the printed records before leaving. If the cluster is unavailable by then, the user gets a message. */
async function leave(member: Consumer, committer: OffsetCommitter, report: (line: string) => void): Promise<void> {
  try {
    await committer.flush()
  } catch (error) {
    report(`the last printed records could not be committed and will be printed again: ${errorText(error)}`)
  } finally {
    await closeBy(member)
  }
}

/** Following waits indefinitely, until Ctrl-C. */
function retryMs({ range }: ConsumePlan): number {
  return range.until === undefined ? Number.POSITIVE_INFINITY : 60_000
}

function teller({ terminal }: CommandContext): (line: string) => void {
  return (line) => void terminal.talk.write(`${line}\n`)
}
