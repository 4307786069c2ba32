// What is known of the records of a Produce request that failed: which were acknowledged, which were refused, and of which nobody knows.
import { type produceV11, protocolErrorsCodesById, ResponseError } from '@platformatic/kafka'

/** Why a broker did not take the batch of a partition. */
export interface Refusal {
  /** Kafka's name: `MESSAGE_TOO_LARGE`. */
  readonly api: string
  /** The broker's words, where it had some. */
  readonly message: string | undefined
  /** The records that it found wrong, by their place in the batch; empty where it does not say. */
  readonly records: readonly number[]
}

/** By partition. What is in neither may be written or not. */
export interface Outcome {
  /** The offset of the first record of the batch. */
  readonly acknowledged: ReadonlyMap<number, bigint>
  readonly refused: ReadonlyMap<number, Refusal>
  /** The request never left, so that what is in neither is not written. */
  readonly neverSent: boolean
  /** The error of the last attempt. */
  readonly last: Error | undefined
}

/** From all attempts: an acknowledgement counts whenever it came, a refusal only where no attempt is in doubt. */
export function outcomeOf(error: unknown): Outcome {
  const acknowledged = new Map<number, bigint>()
  const refused = new Map<number, Refusal>()
  const inDoubt = new Set<number>()
  for (const { partition, offset } of producedBeside(error)) acknowledged.set(partition, offset)
  const attempts = attemptsIn(error).filter((attempt) => !isOfClosing(attempt))
  for (const attempt of attempts) {
    for (const answer of attempt instanceof ResponseError ? answersOf(attempt) : []) {
      if (answer.errorCode === 0) acknowledged.set(answer.index, answer.baseOffset)
      else if (doubtful.has(answer.errorCode)) inDoubt.add(answer.index)
      else refused.set(answer.index, refusalOf(answer))
    }
  }
  const lost = attempts.some((attempt) => !(attempt instanceof ResponseError) && !isConnectFailure(attempt))
  for (const partition of refused.keys()) {
    if (lost || acknowledged.has(partition) || inDoubt.has(partition)) refused.delete(partition)
  }
  return { acknowledged, refused, neverSent: attempts.every(isConnectFailure), last: attempts.at(-1) }
}

/** What other brokers acknowledged of the same request. */
function producedBeside(error: unknown): readonly { readonly partition: number; readonly offset: bigint }[] {
  // The cast: the library puts it on the error, and declares it nowhere.
  const { produced } = error as {
    readonly produced?: { readonly offsets?: readonly { readonly partition: number; readonly offset: bigint }[] }
  }
  return produced?.offsets ?? []
}

type PartitionAnswer = produceV11.ProduceResponse['responses'][number]['partitionResponses'][number]

/** Answers after which the batch may be written: it was, and then something else failed, or nobody waited for the end. */
const doubtful: ReadonlySet<number> = new Set([7, 13, 20])

/** The errors of single attempts, in their order; the client library nests them by brokers and by retries. */
function attemptsIn(error: unknown): readonly Error[] {
  if (!(error instanceof Error)) return []
  if (error instanceof ResponseError || !(error instanceof AggregateError)) return [error]
  return (error.errors as readonly unknown[]).flatMap(attemptsIn)
}

function answersOf(error: ResponseError): readonly PartitionAnswer[] {
  // The cast: the library declares the answer of any API here, and only those of Produce have this field.
  const response = (error as { readonly response?: { readonly responses?: produceV11.ProduceResponse['responses'] } }).response
  return (response?.responses ?? []).flatMap(({ partitionResponses }) => partitionResponses ?? [])
}

function refusalOf({ errorCode, errorMessage, recordErrors }: PartitionAnswer): Refusal {
  const wrong = recordErrors ?? []
  return {
    api: protocolErrorsCodesById[errorCode] ?? `error ${errorCode}`,
    message:
      wrong.find(({ batchIndexErrorMessage }) => batchIndexErrorMessage !== null)?.batchIndexErrorMessage ?? errorMessage ?? undefined,
    records: wrong.map(({ batchIndex }) => batchIndex),
  }
}

/** This producer was closed because it had tried for long enough, which is no attempt. */
function isOfClosing(error: Error): boolean {
  return 'closed' in error && error.closed === true
}

/** Nobody answered the connection, so nothing was sent by it. */
function isConnectFailure(error: Error): boolean {
  return /^Connection to .+ (failed|timed out)\.$|^Connection closed while waiting for ready/.test(error.message)
}
