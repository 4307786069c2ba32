// The options of `lks bench` as a plan: how much is produced, how, and for how long.
import { randomBytes } from 'node:crypto'
import type { CodecName } from '@local-kafka-service/protocol'
import type { ParsedCommand } from '../client-command.ts'
import { givenDuration } from '../duration-option.ts'
import { givenWord } from '../records/option-checks.ts'
import { codecs } from '../records/produce-words.ts'
import { benchAcks } from './bench-words.ts'

export interface BenchPlan {
  readonly topic: string
  readonly durationMs: number
  readonly sizeBytes: number
  readonly producers: number
  /** Records of each request. */
  readonly batch: number
  /** Records a second of all producers; undefined: no limit. */
  readonly rate: number | undefined
  readonly compression: CodecName
  readonly acks: (typeof benchAcks)[number]
}

export function benchPlanOf(given: ParsedCommand): BenchPlan {
  const number = (name: string): number | undefined => {
    const text = given.option(name)
    return text === undefined ? undefined : Number(text)
  }
  const sizeBytes = number('size') ?? 1_000
  const producers = number('producers') ?? 1
  const rate = number('rate')
  const most = Math.max(1, Math.min(mostBatch, Math.floor(batchBytes / sizeBytes)))
  // At a low rate, small requests that come often are closer to what applications do.
  const fitting = rate === undefined ? most : Math.min(most, Math.max(1, Math.ceil(rate / producers / requestsPerSecond)))
  return {
    topic: given.option('topic') ?? `lks-bench-${randomBytes(4).toString('hex')}`,
    durationMs: givenDuration(given.option('duration') ?? '10s'),
    sizeBytes,
    producers,
    batch: number('batch') ?? fitting,
    rate,
    compression: givenWord(codecs, given.option('compression') ?? 'none'),
    acks: givenWord(benchAcks, given.option('acks') ?? 'all'),
  }
}

const mostBatch = 500
/** A batch stays below a topic's default limit of 1 MiB. */
const batchBytes = 900_000
const requestsPerSecond = 50
