// Turns an error into an HTTP answer: the only table of HTTP's errors, and the only code that shapes their bodies.
// It is longer than other files because it is one thing: the table of errors, and the functions that use it.
import {
  errors,
  isError,
  KafkaError,
  type KafkaErrorName,
  MetadataError,
  NoAnswerMemory,
  ObjectStoreError,
  type RecordRejection,
} from '@local-kafka-service/agent'

export interface ProblemRow {
  /** The name in the body's `error`. */
  readonly error: string
  readonly status: number
  /** Kafka's error with the same meaning, if there is one. */
  readonly kafka?: KafkaErrorName
  /** The explanation for `/errors/{name}`, which is also the default message. */
  readonly meaning: string
  /** The advice for the user. */
  readonly hint?: string
  readonly retryAfterSeconds?: number
}

export const problems = {
  topicExists: {
    error: 'TopicAlreadyExistsException',
    status: 409,
    kafka: 'TOPIC_ALREADY_EXISTS',
    meaning: 'A topic with this name already exists.',
    hint: 'Use GET /topics/{name} to see it, or DELETE it first.',
  },
  invalidTopic: {
    error: 'InvalidTopicException',
    status: 400,
    kafka: 'INVALID_TOPIC_EXCEPTION',
    meaning: 'The topic name is invalid, or it differs from an existing one only in . and _.',
    hint: 'Use up to 249 ASCII letters, digits, dots, underscores and hyphens.',
  },
  invalidPartitions: {
    error: 'InvalidPartitionsException',
    status: 400,
    kafka: 'INVALID_PARTITIONS',
    meaning: 'The number of partitions is invalid.',
  },
  invalidConfig: {
    error: 'InvalidConfigurationException',
    status: 400,
    kafka: 'INVALID_CONFIG',
    meaning: 'A topic config is unknown, not supported yet, or has an invalid value.',
  },
  unknownTopicOrPartition: {
    error: 'UnknownTopicOrPartitionException',
    status: 404,
    kafka: 'UNKNOWN_TOPIC_OR_PARTITION',
    meaning: 'The topic does not exist, or it does not have this partition.',
    hint: 'GET /topics on the control plane lists all topics; POST /topics creates one.',
  },
  unknownTopicId: {
    error: 'UnknownTopicIdException',
    status: 404,
    kafka: 'UNKNOWN_TOPIC_ID',
    meaning: 'The topic was deleted. A later topic with the same name is a different topic.',
  },
  unknownGroup: {
    error: 'GroupIdNotFoundException',
    status: 404,
    kafka: 'GROUP_ID_NOT_FOUND',
    meaning: 'The group does not exist.',
    hint: 'GET /groups on the control plane lists all groups; a group exists from its first member or its first commit on.',
  },
  groupInUse: {
    error: 'GroupNotEmptyException',
    status: 409,
    kafka: 'NON_EMPTY_GROUP',
    meaning: 'The group has active members.',
    hint: 'Stop its consumers; GET /groups/{group} lists them.',
  },
  invalidGroup: {
    error: 'InvalidGroupIdException',
    status: 400,
    kafka: 'INVALID_GROUP_ID',
    meaning: 'The group id is invalid.',
  },
  unknownTransaction: {
    error: 'TransactionalIdNotFoundException',
    status: 404,
    kafka: 'TRANSACTIONAL_ID_NOT_FOUND',
    meaning: 'The transactional id does not exist.',
    hint: 'GET /transactions on the control plane lists all transactional ids; one exists from the first InitProducerId of its producer on.',
  },
  unknownAgent: {
    error: 'AgentNotFoundException',
    status: 404,
    meaning: 'No living agent has this name.',
    hint: 'GET /agents lists the living agents.',
  },
  notCoordinator: {
    error: 'NotCoordinatorException',
    status: 503,
    kafka: 'NOT_COORDINATOR',
    meaning: 'Another agent coordinates the group, or no agent does at the moment.',
    hint: 'Send the request to another agent, or try again.',
    retryAfterSeconds: 1,
  },
  groupLoading: {
    error: 'CoordinatorLoadInProgressException',
    status: 503,
    kafka: 'COORDINATOR_LOAD_IN_PROGRESS',
    meaning: 'The group is being reloaded.',
    hint: 'Try again.',
    retryAfterSeconds: 1,
  },
  tooLarge: {
    error: 'RecordTooLargeException',
    status: 413,
    kafka: 'MESSAGE_TOO_LARGE',
    meaning: 'The body, or its record batch, is larger than allowed.',
    hint: 'The setting http.produce.max.bytes limits the body, and the topic config max.message.bytes limits the batch. Kafka clients can send larger records.',
  },
  invalidRecord: {
    error: 'InvalidRecordException',
    status: 400,
    kafka: 'INVALID_RECORD',
    meaning: 'The record is invalid for this topic.',
  },
  outOfRange: {
    error: 'OffsetOutOfRangeException',
    status: 416,
    kafka: 'OFFSET_OUT_OF_RANGE',
    meaning: 'The offset is before the start or after the end of the partition.',
    hint: 'Use offset=earliest, offset=latest, or an offset between them.',
  },
  policyViolation: {
    error: 'PolicyViolationException',
    status: 409,
    kafka: 'POLICY_VIOLATION',
    meaning: 'The configs of the topic do not allow the request.',
  },
  notLeader: {
    error: 'NotLeaderOrFollowerException',
    status: 503,
    kafka: 'NOT_LEADER_OR_FOLLOWER',
    meaning: 'Another agent owns the partition, or no agent does at the moment.',
    hint: 'Send the request to the agent in the message, or try again.',
    retryAfterSeconds: 1,
  },
  storage: {
    error: 'KafkaStorageException',
    status: 503,
    kafka: 'KAFKA_STORAGE_ERROR',
    meaning: 'The FileStorage Service could not read the bytes.',
    hint: 'Try again; GET /readyz shows the cause.',
    retryAfterSeconds: 1,
  },
  damaged: {
    error: 'CorruptRecordException',
    status: 500,
    kafka: 'CORRUPT_MESSAGE',
    meaning: 'The stored bytes of these offsets are missing, truncated or corrupt.',
    hint: 'Continue to read at next_offset, restore the object from a backup of the store, or skip these offsets for all consumers: POST /topics/{topic}/skip-damaged. GET /storage/damage lists all known damage.',
  },
  notStored: {
    error: 'NotEnoughReplicasException',
    status: 503,
    kafka: 'NOT_ENOUGH_REPLICAS',
    meaning: 'The record was not stored: a service that the agent uses is unavailable or too slow.',
    hint: 'Try again; GET /readyz shows the cause.',
    retryAfterSeconds: 1,
  },
  unavailable: {
    error: 'CoordinatorNotAvailableException',
    status: 503,
    kafka: 'COORDINATOR_NOT_AVAILABLE',
    meaning: 'The Metadata Service did not answer in time.',
    hint: 'Try again; GET /readyz shows the cause.',
    retryAfterSeconds: 1,
  },
  timedOut: {
    error: 'TimeoutException',
    status: 503,
    kafka: 'REQUEST_TIMED_OUT',
    meaning: 'The outcome of the request is not known; it may still take effect.',
    hint: 'Check whether it took effect before you repeat it; GET /readyz shows the cause.',
    retryAfterSeconds: 1,
  },
  badRequest: {
    error: 'InvalidRequestException',
    status: 400,
    kafka: 'INVALID_REQUEST',
    meaning: 'The request is invalid: a parameter, a header or the body is wrong.',
    hint: 'GET /docs describes every request.',
  },
  keyReused: {
    error: 'IdempotencyKeyReusedException',
    status: 422,
    meaning: 'The Idempotency-Key was used before for another topic, partition or body.',
    hint: 'Use a new key for every record.',
  },
  unauthorized: {
    error: 'TopicAuthorizationException',
    status: 403,
    kafka: 'TOPIC_AUTHORIZATION_FAILED',
    meaning: 'This client is not authorized for the operation.',
  },
  throttled: {
    error: 'ThrottlingQuotaExceededException',
    status: 429,
    kafka: 'THROTTLING_QUOTA_EXCEEDED',
    meaning: 'This client has exceeded its quota.',
  },
  foreignHost: {
    error: 'ForeignHostException',
    status: 403,
    meaning:
      'The Host header names neither this machine nor an allowed host. A web page of another site can point its own name at this address (DNS rebinding).',
    hint: 'Use localhost or the address of the server, or start the server with --allowed-hosts <name>.',
  },
  foreignOrigin: {
    error: 'ForeignOriginException',
    status: 403,
    meaning: 'The request comes from a web page of another site. It is rejected because any page can send forms to localhost.',
    hint: 'If the page is yours, start the server with --allowed-hosts <its host name>.',
  },
  otherPage: {
    error: 'OtherPageException',
    status: 403,
    meaning:
      'A web page sent a write without the token of the console. Only the pages of the console, and programs that are not web pages, may write.',
    hint: 'Load the console again if it was open during a restart of the server. A program of yours in a browser needs a backend that sends the request.',
  },
  notFound: {
    error: 'NotFoundException',
    status: 404,
    meaning: 'There is nothing at this path.',
    hint: 'GET /docs describes every request.',
  },
  methodNotAllowed: {
    error: 'MethodNotAllowedException',
    status: 405,
    meaning: 'The path exists, but it does not support the method. The header Allow lists the methods that it supports.',
    hint: 'GET /docs describes every request.',
  },
  notAcceptable: {
    error: 'NotAcceptableException',
    status: 406,
    meaning: 'The server supports none of the media types in the header Accept.',
    hint: 'Accept application/json, application/x-ndjson or text/event-stream.',
  },
  unsupportedEncoding: {
    error: 'UnsupportedContentEncodingException',
    status: 415,
    meaning: 'The server does not decode a body with a Content-Encoding.',
    hint: 'Send the body without Content-Encoding.',
  },
  tooManyAnswers: {
    error: 'TooManyAnswersException',
    status: 503,
    meaning: 'All memory for answers is used by answers that other clients have not read yet.',
    hint: 'Try again later, or read less at once (max_bytes).',
    retryAfterSeconds: 5,
  },
  tooManyConnections: {
    error: 'TooManyConnectionsException',
    status: 503,
    meaning: 'The server has reached its limit of HTTP connections.',
    hint: 'Close some connections, or try again later.',
    retryAfterSeconds: 5,
  },
  tooManyTails: {
    error: 'TooManyTailsException',
    status: 503,
    meaning: 'The agent has reached its limit of live tails.',
    hint: 'Close a tail, or try again later.',
    retryAfterSeconds: 10,
  },
  stopping: {
    error: 'StoppingException',
    status: 503,
    meaning: 'The agent is stopping.',
    hint: 'Try again, or send the request to another agent.',
    retryAfterSeconds: 1,
  },
  defect: {
    error: 'UnknownServerException',
    status: 500,
    kafka: 'UNKNOWN_SERVER_ERROR',
    meaning: 'The server failed because of a defect.',
    hint: "The server's log has the cause.",
  },
} as const satisfies Record<string, ProblemRow>

export type ProblemKind = keyof typeof problems

/** Thrown by routes and hooks; the error handler turns it into an answer. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly kind: ProblemKind
  readonly row: ProblemRow
  readonly headers: Readonly<Record<string, string>>
  /** Further members of the body. */
  readonly more: Readonly<Record<string, unknown>>

  constructor(
    kind: ProblemKind,
    message?: string,
    extra: {
      readonly status?: number
      readonly headers?: Readonly<Record<string, string>>
      /** It replaces the hint of the table. */
      readonly hint?: string
      readonly more?: Readonly<Record<string, unknown>>
      readonly cause?: unknown
    } = {},
  ) {
    const row: ProblemRow = problems[kind]
    super(message ?? row.meaning, extra.cause === undefined ? undefined : { cause: extra.cause })
    this.kind = kind
    this.row = {
      ...row,
      ...(extra.status !== undefined && { status: extra.status }),
      ...(extra.hint !== undefined && { hint: extra.hint }),
    }
    this.headers = { ...(row.retryAfterSeconds !== undefined && { 'retry-after': String(row.retryAfterSeconds) }), ...extra.headers }
    this.more = extra.more ?? {}
  }
}

export interface ProblemBody {
  readonly error: string
  /** The HTTP status. */
  readonly error_code: number
  readonly kafka?: { readonly code: number; readonly name: string }
  readonly message: string
  readonly hint?: string
  readonly docs: string
  readonly request_id: string
}

export function bodyOf(problem: Problem, requestId: string): ProblemBody & Readonly<Record<string, unknown>> {
  const { error, status, kafka, hint } = problem.row
  return {
    error,
    error_code: status,
    ...(kafka !== undefined && { kafka: { code: errors[kafka].code, name: kafka } }),
    message: problem.message,
    ...(hint !== undefined && { hint }),
    ...problem.more,
    docs: `/errors/${error}`,
    request_id: requestId,
  }
}

/** Turns anything that a route throws into a problem. An unexpected error is a `defect`, whose cause goes to the log and not into the body. */
export function problemOf(error: unknown, bodyLimitBytes: number): Problem {
  if (error instanceof Problem) return error
  if (error instanceof KafkaError) return problemOfCode(error.code, error.message)
  if (error instanceof MetadataError)
    return new Problem(error.kind === 'unavailable' ? 'unavailable' : 'defect', undefined, { cause: error })
  if (error instanceof NoAnswerMemory) return new Problem('tooManyAnswers')
  if (error instanceof ObjectStoreError) return new Problem('storage', undefined, { cause: error })
  const { status, code, message } = asFastifyError(error)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('tooLarge', `The body is larger than ${bodyLimitBytes} bytes.`)
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || code === 'FST_ERR_CTP_EMPTY_JSON_BODY')
    return new Problem('badRequest', 'The body is not valid JSON.')
  if (code === 'FST_ERR_VALIDATION') return new Problem('badRequest', message)
  if (status !== undefined && status >= 400 && status < 500) return new Problem('badRequest', message, { status })
  return new Problem('defect', undefined, { cause: error })
}

/** Adds the known cause of a failing store to the problem. */
export function withStoreFailure(problem: Problem, failure: string | undefined): Problem {
  switch (problem.kind) {
    case 'storage':
    case 'notStored':
    case 'unavailable':
    case 'timedOut': {
      if (failure === undefined) return problem
      const message = problem.message.includes(failure) ? problem.message : `${problem.row.meaning} ${sentence(failure)}`
      return new Problem(problem.kind, message, { hint: 'GET /readyz shows when the agent has recovered.', cause: problem.cause })
    }
    default:
      return problem
  }
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

/** Turns an error code of Kafka into a problem. A code that is not in the table is a defect. */
export function problemOfCode(code: number, message?: string): Problem {
  const kinds = Object.keys(problems) as ProblemKind[]
  const kind = kinds.find((candidate) => {
    const row: ProblemRow = problems[candidate]
    return row.kafka !== undefined && errors[row.kafka].code === code
  })
  return kind === undefined
    ? new Problem('defect', undefined, { cause: new Error(`the table of problems has no row for Kafka's error ${code}: ${message}`) })
    : new Problem(kind, message)
}

/** Turns the rejection of a records operation into a problem, except `elsewhere`, which the route redirects. */
export function problemOfRejection(rejection: Exclude<RecordRejection, { kind: 'elsewhere' }>): Problem {
  switch (rejection.kind) {
    case 'out of range':
      return new Problem(
        'outOfRange',
        `The offset is out of range: the partition has offsets ${rejection.earliest} to ${rejection.latest}.`,
        {
          more: { earliest: rejection.earliest, latest: rejection.latest },
        },
      )
    case 'damaged': {
      const { topic, partition, offset, lastOffset, objectKey: object, message } = rejection
      return new Problem(
        'damaged',
        `Partition ${partition} of topic '${topic}' is damaged at offsets ${offset} to ${lastOffset}: ${message}.`,
        {
          more: { topic, partition, offset, next_offset: lastOffset + 1, object },
        },
      )
    }
    case 'error':
      return problemOfCode(rejection.code, rejection.message)
  }
}

function asFastifyError(error: unknown): { readonly status?: number; readonly code?: string; readonly message: string } {
  if (!isError(error)) return { message: String(error) }
  return {
    message: error.message,
    ...('statusCode' in error && typeof error.statusCode === 'number' && { status: error.statusCode }),
    ...('code' in error && typeof error.code === 'string' && { code: error.code }),
  }
}
