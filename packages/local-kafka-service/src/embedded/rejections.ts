// Turns the agent's rejections into a RefusedError with Kafka's name of the error and a message.
import { KafkaError, MetadataError, type RecordRejection } from '@local-kafka-service/agent'
import { errorName, errors, type Outcome } from '@local-kafka-service/protocol'
import { RefusedError } from './rejection-error.ts'

export function rejectionOf(rejection: RecordRejection | Extract<Outcome<never>, { kind: 'error' }>): RefusedError {
  switch (rejection.kind) {
    case 'elsewhere':
      return new RefusedError('NOT_LEADER_OR_FOLLOWER', 'another server has taken over from this one')
    case 'out of range':
      return new RefusedError('OFFSET_OUT_OF_RANGE', `the partition holds the offsets ${rejection.earliest} to ${rejection.latest}`)
    case 'damaged':
      return new RefusedError(
        'CORRUPT_MESSAGE',
        `partition ${rejection.partition} of topic ${rejection.topic} is damaged at offsets ${rejection.offset} to ${rejection.lastOffset}, in object ${rejection.objectKey}: ${rejection.message}`,
      )
    case 'error': {
      const name = errorName(rejection.code) ?? 'UNKNOWN_SERVER_ERROR'
      return new RefusedError(name, rejection.message ?? errors[name].message)
    }
  }
}

export function valueOf<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value
  throw rejectionOf(outcome)
}

/** Rejects with a RefusedError if the agent rejects with one of its own errors. */
export async function withRejections<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof KafkaError) throw new RefusedError(error.error, error.message, { cause: error })
    if (error instanceof MetadataError) throw new RefusedError('COORDINATOR_NOT_AVAILABLE', error.message, { cause: error })
    throw error
  }
}
