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

/** The port's error for a file system error. A code that is not in the table (EMFILE, EIO of a write, EBUSY, ESTALE …) is 'unavailable'. */
export function fileError(error: unknown, applied: 'no' | 'unknown', what: string): ObjectStoreError {
  const code = codeOf(error)
  const message = errorText(error)
  return new ObjectStoreError(kinds[code ?? ''] ?? 'unavailable', applied, `${what}: ${message}`, { cause: error })
}

/**
 * The port's error for a read that failed. What the disk cannot read at all (EIO, ENXIO, also of a file's name) is damaged, and what is not there is missing.
 * But if `isThere` finds that the folder has vanished with it, the disk is away, and nothing is lost.
 */
export function readError(error: unknown, what: string, isThere: () => boolean): ObjectStoreError {
  const known = error instanceof ObjectStoreError ? error : fileError(error, 'no', what)
  const kind = hasCode(error, 'EIO', 'ENXIO') ? 'corrupt' : known.kind
  if (kind !== 'corrupt' && kind !== 'missing') return known
  if (!isThere()) return new ObjectStoreError('unavailable', 'no', `${known.message}; its folder cannot be read either`, { cause: error })
  return kind === known.kind ? known : new ObjectStoreError(kind, 'no', known.message, { cause: error })
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = codeOf(error)
  return code !== undefined && codes.includes(code)
}

function codeOf(error: unknown): string | undefined {
  return isError(error) && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
