// From an error to an answer: the one table of HTTP's errors and the only shaper of their bodies.
// Longer than other files because it is one thing: the table of errors, and what makes one of it.
import {
  errors,
  isError,
  KafkaError,
  type KafkaErrorName,
  MetadataError,
  NoAnswerMemory,
  ObjectStoreError,
  type Refusal,
} from '@local-kafka-service/agent'

export interface ProblemRow {
  /** The name in the body's `error`. */
  readonly error: string
  readonly status: number
  /** Kafka's error that says the same, where there is one. */
  readonly kafka?: KafkaErrorName
  /** What it means, for `/errors/{name}`. */
  readonly meaning: string
  /** What to do about it. */
  readonly hint?: string
  readonly retryAfterSeconds?: number
}

export const problems = {
  topicExists: {
    error: 'TopicAlreadyExistsException',
    status: 409,
    kafka: 'TOPIC_ALREADY_EXISTS',
    meaning: 'A topic of this name exists.',
    hint: 'Use GET /topics/{name} to see it, or DELETE it first.',
  },
  invalidTopic: {
    error: 'InvalidTopicException',
    status: 400,
    kafka: 'INVALID_TOPIC_EXCEPTION',
    meaning: 'The name is not legal for a topic, or differs from an existing one only by . and _.',
    hint: 'Use up to 249 ASCII letters, digits, dots, underscores and hyphens.',
  },
  invalidPartitions: {
    error: 'InvalidPartitionsException',
    status: 400,
    kafka: 'INVALID_PARTITIONS',
    meaning: 'A topic cannot have that number of partitions.',
  },
  invalidConfig: {
    error: 'InvalidConfigurationException',
    status: 400,
    kafka: 'INVALID_CONFIG',
    meaning: 'A topic config is unknown, not supported yet, or has an illegal value.',
  },
  unknownTopicOrPartition: {
    error: 'UnknownTopicOrPartitionException',
    status: 404,
    kafka: 'UNKNOWN_TOPIC_OR_PARTITION',
    meaning: 'There is no such topic, or it has no such partition.',
    hint: 'GET /topics on the control plane lists all topics; POST /topics makes one.',
  },
  unknownTopicId: {
    error: 'UnknownTopicIdException',
    status: 404,
    kafka: 'UNKNOWN_TOPIC_ID',
    meaning: 'The topic was deleted. One of the same name that was made later is another topic.',
  },
  unknownGroup: {
    error: 'GroupIdNotFoundException',
    status: 404,
    kafka: 'GROUP_ID_NOT_FOUND',
    meaning: 'There is no such group.',
    hint: 'GET /groups on the control plane lists all groups; a group begins with its first member or its first commit.',
  },
  groupInUse: {
    error: 'GroupNotEmptyException',
    status: 409,
    kafka: 'NON_EMPTY_GROUP',
    meaning: 'The group has active members.',
    hint: 'Stop its consumers; GET /groups/{group} names them.',
  },
  invalidGroup: {
    error: 'InvalidGroupIdException',
    status: 400,
    kafka: 'INVALID_GROUP_ID',
    meaning: 'That cannot be the id of a group.',
  },
  notCoordinator: {
    error: 'NotCoordinatorException',
    status: 503,
    kafka: 'NOT_COORDINATOR',
    meaning: 'Another agent coordinates the group, or nobody does at the moment.',
    hint: 'Ask another agent, or try again.',
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
    meaning: 'The body, or the record batch made of it, is larger than allowed.',
    hint: 'The largest body is the setting http.produce.max.bytes, the largest batch the topic config max.message.bytes. Kafka clients can send more.',
  },
  invalidRecord: {
    error: 'InvalidRecordException',
    status: 400,
    kafka: 'INVALID_RECORD',
    meaning: 'The record is not legal for this topic.',
  },
  outOfRange: {
    error: 'OffsetOutOfRangeException',
    status: 416,
    kafka: 'OFFSET_OUT_OF_RANGE',
    meaning: 'The offset is before the first record or beyond the end of the partition.',
    hint: 'Use offset=earliest, offset=latest, or a number between the two.',
  },
  notLeader: {
    error: 'NotLeaderOrFollowerException',
    status: 503,
    kafka: 'NOT_LEADER_OR_FOLLOWER',
    meaning: 'Another agent owns the partition, or nobody does at the moment.',
    hint: 'Ask the agent named in the message, or try again.',
    retryAfterSeconds: 1,
  },
  storage: {
    error: 'KafkaStorageException',
    status: 503,
    kafka: 'KAFKA_STORAGE_ERROR',
    meaning: 'The FileStorage Service did not give the bytes.',
    hint: 'Try again; GET /readyz says what is wrong.',
    retryAfterSeconds: 1,
  },
  damaged: {
    error: 'CorruptRecordException',
    status: 500,
    kafka: 'CORRUPT_MESSAGE',
    meaning: 'The stored bytes of these offsets are gone, cut off, or not what was acknowledged.',
    hint: 'Read on from next_offset, or restore the object from a copy of the store; GET /readyz lists all damage that was found.',
  },
  notStored: {
    error: 'NotEnoughReplicasException',
    status: 503,
    kafka: 'NOT_ENOUGH_REPLICAS',
    meaning: 'The record was not stored: a service behind the agent is away or too slow.',
    hint: 'Try again; GET /readyz says what is wrong.',
    retryAfterSeconds: 1,
  },
  unavailable: {
    error: 'CoordinatorNotAvailableException',
    status: 503,
    kafka: 'COORDINATOR_NOT_AVAILABLE',
    meaning: 'The Metadata Service did not answer in time.',
    hint: 'Try again; GET /readyz says what is wrong.',
    retryAfterSeconds: 1,
  },
  timedOut: {
    error: 'TimeoutException',
    status: 503,
    kafka: 'REQUEST_TIMED_OUT',
    meaning: 'There was no definite answer in time; the request may still take effect.',
    hint: 'Look whether it took effect before you repeat it; GET /readyz says what is wrong.',
    retryAfterSeconds: 1,
  },
  badRequest: {
    error: 'InvalidRequestException',
    status: 400,
    kafka: 'INVALID_REQUEST',
    meaning: 'The request is not understood: a parameter, a header or the body is wrong.',
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
    meaning: 'This client may not do that.',
  },
  throttled: {
    error: 'ThrottlingQuotaExceededException',
    status: 429,
    kafka: 'THROTTLING_QUOTA_EXCEEDED',
    meaning: 'This client sends more than its quota.',
  },
  foreignHost: {
    error: 'ForeignHostException',
    status: 403,
    meaning:
      'The Host header names neither this machine nor an allowed host. A web page elsewhere can point its own name at this address (DNS rebinding).',
    hint: 'Call it by localhost or by its address, or start with --allowed-hosts <name>.',
  },
  foreignOrigin: {
    error: 'ForeignOriginException',
    status: 403,
    meaning: 'The request comes from a web page of another site. Any page can send forms to localhost.',
    hint: 'If the page is yours, start with --allowed-hosts <its host name>.',
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
    meaning: 'The path is right, and the method is not one that it takes. The header Allow has those.',
    hint: 'GET /docs describes every request.',
  },
  notAcceptable: {
    error: 'NotAcceptableException',
    status: 406,
    meaning: 'None of the media types in Accept can be answered.',
    hint: 'Accept application/json, application/x-ndjson or text/event-stream.',
  },
  unsupportedEncoding: {
    error: 'UnsupportedContentEncodingException',
    status: 415,
    meaning: 'Bodies are taken as they are; a Content-Encoding is not undone.',
    hint: 'Send the body without Content-Encoding.',
  },
  tooManyAnswers: {
    error: 'TooManyAnswersException',
    status: 503,
    meaning: 'Answers that other clients have not taken yet hold all memory for answers.',
    hint: 'Try again later, or read less at a time (max_bytes).',
    retryAfterSeconds: 5,
  },
  tooManyConnections: {
    error: 'TooManyConnectionsException',
    status: 503,
    meaning: 'The server has as many HTTP connections at work as it may.',
    hint: 'Close some, or try again later.',
    retryAfterSeconds: 5,
  },
  tooManyTails: {
    error: 'TooManyTailsException',
    status: 503,
    meaning: 'The agent serves as many live tails as it may.',
    hint: 'Close one, or try again later.',
    retryAfterSeconds: 10,
  },
  stopping: {
    error: 'StoppingException',
    status: 503,
    meaning: 'The agent stops.',
    hint: 'Try again, or ask another agent.',
    retryAfterSeconds: 1,
  },
  defect: {
    error: 'UnknownServerException',
    status: 500,
    kafka: 'UNKNOWN_SERVER_ERROR',
    meaning: 'A defect of the server.',
    hint: "The server's log has more under this request_id.",
  },
} as const satisfies Record<string, ProblemRow>

export type ProblemKind = keyof typeof problems

/** Thrown by routes and hooks; the error handler shapes it. */
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
      /** In place of the table's. */
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

/** Whatever was thrown by a route that takes so large a body, as a problem. What nobody expected is a `defect`, its cause kept for the log and out of the body. */
export function problemOf(error: unknown, bodyLimitBytes: number): Problem {
  if (error instanceof Problem) return error
  if (error instanceof KafkaError) return problemOfCode(error.code, error.message)
  if (error instanceof MetadataError)
    return new Problem(error.kind === 'unavailable' ? 'unavailable' : 'defect', undefined, { cause: error })
  if (error instanceof NoAnswerMemory) return new Problem('tooManyAnswers')
  if (error instanceof ObjectStoreError) return new Problem('storage', undefined, { cause: error })
  const { status, code, message } = asFastifyError(error)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Problem('tooLarge', `The body has more than ${bodyLimitBytes} bytes.`)
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || code === 'FST_ERR_CTP_EMPTY_JSON_BODY')
    return new Problem('badRequest', 'The body is not JSON.')
  if (code === 'FST_ERR_VALIDATION') return new Problem('badRequest', message)
  if (status !== undefined && status >= 400 && status < 500) return new Problem('badRequest', message, { status })
  return new Problem('defect', undefined, { cause: error })
}

/** The same problem, with what keeps the agent from writing where that is known: then nobody has to ask for it elsewhere. */
export function withTrouble(problem: Problem, trouble: string | undefined): Problem {
  switch (problem.kind) {
    case 'storage':
    case 'notStored':
    case 'unavailable':
    case 'timedOut': {
      if (trouble === undefined) return problem
      const message = problem.message.includes(trouble) ? problem.message : `${problem.row.meaning} ${sentence(trouble)}`
      return new Problem(problem.kind, message, { hint: 'GET /readyz says when it is over.', cause: problem.cause })
    }
    default:
      return problem
  }
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`
}

/** A code of Kafka's, as the operations answer it. One that is not in the table is a defect. */
export function problemOfCode(code: number, message?: string): Problem {
  const kinds = Object.keys(problems) as ProblemKind[]
  const kind = kinds.find((candidate) => {
    const row: ProblemRow = problems[candidate]
    return row.kafka !== undefined && errors[row.kafka].code === code
  })
  return kind === undefined
    ? new Problem('defect', undefined, { cause: new Error(`no problem stands for Kafka's error ${code}: ${message}`) })
    : new Problem(kind, message)
}

/** What a records operation refused, but for `elsewhere`, which the route knows to redirect. */
export function problemOfRefusal(refusal: Exclude<Refusal, { kind: 'elsewhere' }>): Problem {
  switch (refusal.kind) {
    case 'out of range':
      return new Problem('outOfRange', `The offset is outside of the partition, which has ${refusal.earliest} to ${refusal.latest}.`, {
        more: { earliest: refusal.earliest, latest: refusal.latest },
      })
    case 'damaged': {
      const { topic, partition, offset, lastOffset, objectKey: object, message } = refusal
      return new Problem(
        'damaged',
        `Partition ${partition} of topic '${topic}' is damaged at offsets ${offset} to ${lastOffset}: ${message}.`,
        {
          more: { topic, partition, offset, next_offset: lastOffset + 1, object },
        },
      )
    }
    case 'error':
      return problemOfCode(refusal.code, refusal.message)
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
