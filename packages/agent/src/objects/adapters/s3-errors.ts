// Translates errors of S3, of its SDK and of the network into the errors of an object store.
import { isError } from '../../native-error.ts'
import { ObjectStoreError, type ObjectStoreErrorKind } from '../object-store.ts'

type Meaning = readonly [kind: ObjectStoreErrorKind, advice?: string]

/** Keyed by the error's code, the `Code` of S3's XML. The HTTP status decides about any other code. */
const byCode: Readonly<Record<string, Meaning>> = {
  NoSuchKey: ['missing'],
  NoSuchBucket: ['invalid', 'there is no such bucket'],
  InvalidBucketName: ['invalid', 'the name is not a valid bucket name'],
  PermanentRedirect: ['invalid', 'the bucket is in another region'],
  AuthorizationHeaderMalformed: ['invalid', 'the bucket is in another region'],
  IllegalLocationConstraintException: ['invalid', 'the bucket is in another region'],
  InvalidRange: ['corrupt'],
  AccessDenied: ['denied', 'these credentials do not allow this'],
  Forbidden: ['denied', 'these credentials do not allow this'],
  AllAccessDisabled: ['denied', 'these credentials do not allow this'],
  AccountProblem: ['denied'],
  InvalidAccessKeyId: ['denied', 'the server does not know the access key'],
  // Versity S3 Gateway answers this with 404.
  XAdminUserNotFound: ['denied', 'the server does not know the access key'],
  SignatureDoesNotMatch: ['denied', 'the secret key is wrong'],
  InvalidSecurity: ['denied'],
  InvalidToken: ['denied'],
  ExpiredToken: ['denied', 'the credentials have expired'],
  ExpiredTokenException: ['denied', 'the credentials have expired'],
  CredentialsProviderError: ['denied', 'no credentials were found'],
  TokenProviderError: ['denied', 'no credentials were found'],
  // The SDK learns the server's clock from this answer and signs the next attempt with it.
  RequestTimeTooSkewed: ['unavailable', "the clock of this machine differs from the server's"],
  SlowDown: ['throttled'],
  Throttling: ['throttled'],
  ThrottlingException: ['throttled'],
  TooManyRequests: ['throttled'],
  RequestLimitExceeded: ['throttled'],
  BandwidthLimitExceeded: ['throttled'],
  RequestTimeout: ['timeout'],
  TimeoutError: ['timeout'],
  AbortError: ['aborted'],
  QuotaExceeded: ['full'],
  InsufficientStorage: ['full'],
  XMinioStorageFull: ['full'],
  // The body was changed on its way: the next attempt may arrive intact.
  BadDigest: ['unavailable'],
  XAmzContentSHA256Mismatch: ['unavailable'],
  IncompleteBody: ['unavailable'],
  OperationAborted: ['unavailable'],
  ConditionalRequestConflict: ['unavailable'],
}

/** The connection broke. The SDK calls some of these TimeoutError. */
const broken: readonly string[] = ['ECONNRESET', 'EPIPE', 'ECONNABORTED']

/** No request was sent, because there was no connection. */
const neverConnected: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']

/** `effect` is what the request does when it succeeds; with 'none' nothing can have been applied. */
export function s3Error(error: unknown, effect: 'none' | 'change', what: string): ObjectStoreError {
  if (error instanceof ObjectStoreError) return error
  const status = statusOf(error)
  const codes = codesOf(error)
  const unconnected = codes.some((code) => neverConnected.includes(code))
  const known: Meaning | undefined =
    unconnected || codes.some((code) => broken.includes(code))
      ? ['unavailable']
      : codes.map((code) => byCode[code]).find((meaning) => meaning !== undefined)
  const [kind, advice] = known ?? [status === undefined ? 'unavailable' : ofStatus(status)]
  const definite = effect === 'none' || refused(status) || unconnected || codes.includes('CredentialsProviderError')
  const details = [...codes, ...(status === undefined ? [] : [`HTTP ${status}`]), textOf(error)].filter((text) => text !== '')
  const message = `${what}: ${advice === undefined ? '' : `${advice}: `}${details.join(', ')}`
  return new ObjectStoreError(kind, definite ? 'no' : 'unknown', message, { cause: error })
}

/** The codes of S3, the system, the SDK and the causes below. If a host has several addresses, each may have failed differently. */
export function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  for (let at: unknown = error; isError(at) && codes.length < 8; at = at.cause ?? firstOf(at)) {
    const { code, Code } = at as { readonly code?: unknown; readonly Code?: unknown }
    for (const one of [at.name, Code, code])
      if (typeof one === 'string' && one !== 'Error' && one !== 'AggregateError' && !codes.includes(one)) codes.push(one)
  }
  return codes
}

/** The first error of an AggregateError, recognized by its shape: it may come from another realm. */
function firstOf(error: Error): unknown {
  return 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : undefined
}

export function statusOf(error: unknown): number | undefined {
  if (!isError(error)) return undefined
  const { $metadata, $response } = error as { $metadata?: { httpStatusCode?: unknown }; $response?: { statusCode?: unknown } }
  const status = $metadata?.httpStatusCode ?? $response?.statusCode
  return typeof status === 'number' ? status : undefined
}

/** The server has read the request and rejected it. After a 5xx the server may still have applied it. */
function refused(status: number | undefined): boolean {
  return status !== undefined && status >= 300 && status < 500 && status !== 408
}

function ofStatus(status: number): ObjectStoreErrorKind {
  if (status === 401 || status === 403) return 'denied'
  if (status === 404) return 'missing'
  if (status === 408) return 'timeout'
  if (status === 416) return 'corrupt'
  if (status === 429) return 'throttled'
  if (status === 507) return 'full'
  return status >= 500 || status === 409 ? 'unavailable' : 'invalid'
}

function textOf(error: unknown): string {
  if (!isError(error)) return String(error)
  return error.message === 'UnknownError' || codesOf(error).includes(error.message) ? '' : error.message
}
