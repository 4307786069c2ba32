// The check of one committed object: it reads the object in pieces, and compares its checksum with the one that was committed.
import type { Checksum } from '../core/checksum.ts'
import { fixedLimits } from '../limits.ts'
import type { CommittedObject } from '../metadata/recovery-store.ts'
import { type ObjectStore, ObjectStoreError } from '../objects/object-store.ts'

export interface ObjectCheckParts {
  readonly objects: Pick<ObjectStore, 'read'>
  readonly crc32c: Checksum
  /** Called before each read with its size: it waits until that much may be read. */
  readonly pace: (bytes: number) => Promise<void>
}

/** What is wrong with the object, for people; undefined: it has the committed bytes. Rejects with an ObjectStoreError when the store is away. */
export async function wrongWithObject(
  { objects, crc32c, pace }: ObjectCheckParts,
  { key, sizeBytes, checksum }: CommittedObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  let actual = 0
  let trailing = new Uint8Array()
  try {
    for (let start = 0; start < sizeBytes; ) {
      const length = Math.min(fixedLimits.checkReadBytes, sizeBytes - start)
      await pace(length)
      const bytes = await objects.read(key, { start, length }, signal)
      const checked = Math.max(0, Math.min(length, sizeBytes - uncheckedBytes - start))
      actual = crc32c(bytes.subarray(0, checked), actual)
      trailing = Buffer.concat([trailing, bytes.subarray(checked)])
      start += length
    }
  } catch (error) {
    if (isLost(error)) return error.message
    throw error
  }
  if (actual !== checksum) return 'its bytes do not have the committed checksum'
  return Buffer.from(trailing).readUInt32BE(0) === checksum ? undefined : 'its trailer does not have the committed checksum'
}

/** After any other error the object may still exist. */
export function isLost(error: unknown): error is ObjectStoreError {
  return error instanceof ObjectStoreError && (error.kind === 'missing' || error.kind === 'corrupt')
}

/** The checksum and the end mark (docs/object-format.md). */
const uncheckedBytes = 12
