// The work of `lks produce`: makes records from lines, writes them in order, and reports how many were acknowledged.
import { open } from 'node:fs/promises'
import { onAbort } from '@local-kafka-service/agent/abort'
import { errorText } from '@local-kafka-service/agent/native-error'
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import type { CommandContext, ParsedCommand } from '../client-command.ts'
import { untilAborted } from './abortable.ts'
import { BatchSender } from './batch-sender.ts'
import { type ByteLine, byteLines, LineTooLong } from './byte-lines.ts'
import { openWriter, partitionsToWrite } from './clients.ts'
import { recordName } from './consumed-record.ts'
import { DataSink } from './data-sink.ts'
import { notWrittenError, type Progress, written, wrongLineError } from './produce-errors.ts'
import { type ProducePlan, producePlanOf } from './produce-plan.ts'
import { recordOfLine } from './record-lines.ts'
import { NotWritten, RecordWriter, type WrittenRecord } from './record-writer.ts'

/**
 * Resolves when everything is acknowledged. Rejects with a UserError that says how much is; on Ctrl-C too, after the lines read so far
 * are written; and with an error of the client library if nothing was sent.
 */
export async function runProduce(given: ParsedCommand, context: CommandContext): Promise<void> {
  const plan = producePlanOf(given)
  const input = await inputOf(plan, context)
  const partitionCount = await partitionsBefore(plan, context)
  if (plan.file === undefined && context.terminal.inputInteractive) context.terminal.talk.write('enter one record per line; Ctrl-D ends\n')
  const tally = { topic: plan.topic, acknowledged: 0 }
  const stopped = new AbortController()
  const writer = await writerFor(plan, context, { partitionCount, tally, failed: () => stopped.abort() })
  const { signal, terminal, connection } = context
  const [server = ''] = connection.bootstrapServers
  const giveUp = givesUp(signal, writer)
  try {
    const { delimiter } = plan
    const lines = byteLines(untilAborted(input, AbortSignal.any([signal, stopped.signal])), { maxBytes: maxLineBytes, delimiter })
    const wrong = await addAll(lines, writer, { plan, partitionCount })
    await writer.flush()
    if (wrong !== undefined) throw wrongLineError(wrong, tally)
  } catch (error) {
    const reported = error instanceof NotWritten ? notWrittenError(error, tally, server) : error
    // After Ctrl-C no error is printed, so the state of the records is printed here.
    if (signal.aborted && reported instanceof UserError) terminal.talk.write(`${reported.what}\n`)
    throw reported
  } finally {
    clearTimeout(giveUp.timer)
    await writer.close()
  }
  if (terminal.interactive || signal.aborted) terminal.talk.write(`${sum(plan, tally)}\n`)
  signal.throwIfAborted()
}

function sum({ acks }: ProducePlan, tally: Progress): string {
  return acks === '0' ? `${tally.acknowledged} records were sent without acknowledgement` : written(tally)
}

const mebibyte = 1024 * 1024
/** A broker's limit for one request (socket.request.max.bytes): no broker would accept a longer line. */
const maxLineBytes = 100 * mebibyte
/** The time limit after Ctrl-C for the lines read before it. */
const giveUpMs = 5_000
/** A batch stays below a topic's default limit of 1 MiB; a request gets one answer, and stays in memory until then. */
const limits = { batchBytes: 900_000, chunkBytes: 4 * mebibyte, recordCount: 10_000 }

async function inputOf({ file }: ProducePlan, { terminal }: CommandContext): Promise<AsyncIterable<Buffer | string>> {
  if (file === undefined) return terminal.input
  try {
    const opened = await open(file)
    if (!(await opened.stat()).isDirectory()) return opened.createReadStream()
    await opened.close()
  } catch (error) {
    throw unreadable(file, errorText(error), error)
  }
  throw unreadable(file, 'it is a directory')
}

function unreadable(file: string, why: string, cause?: unknown): UserError {
  return new UserError('LKS-4101', { what: `${file} cannot be read`, why, fix: ['name an existing file'], cause })
}

/** The partition count of the topic. The cluster creates a missing topic if it has automatic creation; a misspelled name must not go unnoticed. */
async function partitionsBefore({ topic, partition }: ProducePlan, { connection, terminal }: CommandContext): Promise<number> {
  const client = await openWriter(connection)
  try {
    const { count, created } = await partitionsToWrite(client, { topic, wanted: typeof partition === 'number' ? partition : undefined })
    if (created) terminal.talk.write(`topic ${topic} did not exist: the cluster created it with ${counted(count, 'partition')}\n`)
    return count
  } finally {
    await client.close()
  }
}

interface Running {
  readonly partitionCount: number
  readonly tally: { readonly topic: string; acknowledged: number }
  readonly failed: () => void
}

async function writerFor(
  plan: ProducePlan,
  { connection, terminal, signal }: CommandContext,
  { partitionCount, tally, failed }: Running,
): Promise<RecordWriter> {
  const { topic, acks, compression, output } = plan
  const sink = new DataSink(terminal.data)
  const report = (line: string): void => void terminal.talk.write(`${line}\n`)
  return new RecordWriter({
    sender: new BatchSender({ client: await openWriter(connection), topic, acks, compression, report }),
    partitionCount,
    firstPartition: Math.floor(Math.random() * partitionCount),
    limits,
    async written(records) {
      tally.acknowledged += records.length
      if (output === 'table') return
      for (const record of records) sink.add([Buffer.from(`${reference(record, plan)}\n`)])
      await sink.flush(signal)
    },
    failed,
  })
}

/** The position of a written record, for programs. */
function reference({ partition, offset }: WrittenRecord, { topic, output }: ProducePlan): string {
  const place = { topic, partition, offset: offset ?? -1n }
  return output === 'name' ? recordName(place) : `{"topic":${JSON.stringify(topic)},"partition":${partition},"offset":${place.offset}}`
}

/** The time to wait after Ctrl-C for a cluster that is unavailable. */
function givesUp(signal: AbortSignal, writer: RecordWriter): { readonly timer: NodeJS.Timeout | undefined } {
  const given: { timer: NodeJS.Timeout | undefined } = { timer: undefined }
  onAbort(signal, () => (given.timer = setTimeout(() => void writer.close(), giveUpMs)))
  return given
}

interface WrongLine {
  readonly line: number
  readonly why: string
}

/** Reads to the end, or to a line that is not a valid record, after all records before it were added. Rejects when a record was not written. */
async function addAll(
  blocks: AsyncIterable<readonly ByteLine[]>,
  writer: RecordWriter,
  { plan, partitionCount }: { readonly plan: ProducePlan; readonly partitionCount: number },
): Promise<WrongLine | undefined> {
  const { form, partition } = plan
  try {
    for await (const lines of blocks) {
      for (const line of lines) {
        const parsed = recordOfLine(line, form)
        if (parsed.kind === 'wrong') return { line: line.number, why: parsed.why }
        const why = outOfRange(parsed.record.partition, plan, partitionCount)
        if (why !== undefined) return { line: line.number, why }
        const { record } = parsed
        await writer.add(
          partition === undefined ? record : { ...record, partition: partition === 'any' ? undefined : partition },
          line.number,
        )
      }
      writer.kick()
    }
    return undefined
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error
    return { line: error.number, why: `it is longer than ${maxLineBytes / mebibyte} MiB` }
  }
}

function outOfRange(said: number | undefined, { partition, topic }: ProducePlan, partitionCount: number): string | undefined {
  if (said === undefined || partition !== undefined || said < partitionCount) return undefined
  return `${topic} has no partition ${said}, only ${counted(partitionCount, 'partition')}; with -p any the keys decide`
}
