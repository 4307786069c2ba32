// Translates errors of the file system into the errors of an object store.
import { errorText, isError } from '../../native-error.ts'
import { ObjectStoreError, type ObjectStoreErrorKind } from '../object-store.ts'

const kinds: Readonly<Record<string, ObjectStoreErrorKind>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EISDIR: 'missing',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EACCES: 'denied',
  EPERM: 'denied',
  EROFS: 'denied',
  ENAMETOOLONG: 'invalid',
  EINVAL: 'invalid',
  ETIMEDOUT: 'timeout',
}

/** The port's error for a file system error. A code that is not in the table (EMFILE, EIO, EBUSY, ESTALE …) is 'unavailable'. */
export function fileError(error: unknown, applied: 'no' | 'unknown', what: string): ObjectStoreError {
  const code = codeOf(error)
  const message = errorText(error)
  return new ObjectStoreError(kinds[code ?? ''] ?? 'unavailable', applied, `${what}: ${message}`, { cause: error })
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(error)
  return code !== undefined && codes.includes(code)
}

function codeOf(error: unknown): string | undefined {
  return isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
