// What an error of S3, of its SDK or of the network under it means to the callers of an object store.
import { isError } from '../native-error.ts'
import { ObjectStoreError, type ObjectStoreErrorKind } from './object-store.ts'

type Meaning = readonly [kind: ObjectStoreErrorKind, advice?: string]

/** By the error's code, the `Code` of S3's XML. What is not here is judged by its HTTP status. */
const byCode: Readonly<Record<string, Meaning>> = {
  NoSuchKey: ['missing'],
  NoSuchBucket: ['invalid', 'there is no such bucket'],
  InvalidBucketName: ['invalid', 'that is no name of a bucket'],
  PermanentRedirect: ['invalid', 'the bucket is in another region'],
  AuthorizationHeaderMalformed: ['invalid', 'the bucket is in another region'],
  IllegalLocationConstraintException: ['invalid', 'the bucket is in another region'],
  InvalidRange: ['corrupt'],
  AccessDenied: ['denied', 'these credentials may not do this'],
  Forbidden: ['denied', 'these credentials may not do this'],
  AllAccessDisabled: ['denied', 'these credentials may not do this'],
  AccountProblem: ['denied'],
  InvalidAccessKeyId: ['denied', 'the access key is not known there'],
  // Versity S3 Gateway answers this with 404.
  XAdminUserNotFound: ['denied', 'the access key is not known there'],
  SignatureDoesNotMatch: ['denied', 'the secret key is wrong'],
  InvalidSecurity: ['denied'],
  InvalidToken: ['denied'],
  ExpiredToken: ['denied', 'the credentials have expired'],
  ExpiredTokenException: ['denied', 'the credentials have expired'],
  CredentialsProviderError: ['denied', 'no credentials were found'],
  TokenProviderError: ['denied', 'no credentials were found'],
  // The SDK learns the server's clock from this answer, so that the next try is signed with it.
  RequestTimeTooSkewed: ['unavailable', 'the clock of this machine differs from the server'],
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
  // A body that was changed on its way: the next try may arrive whole.
  BadDigest: ['unavailable'],
  XAmzContentSHA256Mismatch: ['unavailable'],
  IncompleteBody: ['unavailable'],
  OperationAborted: ['unavailable'],
  ConditionalRequestConflict: ['unavailable'],
}

/** The connection broke. The SDK calls some of these TimeoutError. */
const broken: readonly string[] = ['ECONNRESET', 'EPIPE', 'ECONNABORTED']

/** Nothing was sent: there was no connection to send it on. */
const neverConnected: readonly string[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL']

/** `effect`: what the request does when it succeeds; with 'none' nothing can have been applied. */
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

/** S3's code and the system's, the SDK's and those below it: of a name with several addresses, each has failed in its own way. */
export function codesOf(error: unknown): readonly string[] {
  const codes: string[] = []
  for (let at: unknown = error; isError(at) && codes.length < 8; at = at.cause ?? firstOf(at)) {
    const { code, Code } = at as { readonly code?: unknown; readonly Code?: unknown }
    for (const one of [at.name, Code, code])
      if (typeof one === 'string' && one !== 'Error' && one !== 'AggregateError' && !codes.includes(one)) codes.push(one)
  }
  return codes
}

/** Of an AggregateError, by its shape: it may be of another realm. */
function firstOf(error: Error): unknown {
  return 'errors' in error && Array.isArray(error.errors) ? error.errors[0] : undefined
}

export function statusOf(error: unknown): number | undefined {
  if (!isError(error)) return undefined
  const { $metadata, $response } = error as { $metadata?: { httpStatusCode?: unknown }; $response?: { statusCode?: unknown } }
  const status = $metadata?.httpStatusCode ?? $response?.statusCode
  return typeof status === 'number' ? status : undefined
}

/** The server has looked at the request and said no. After a 5xx it may have done it all the same. */
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
