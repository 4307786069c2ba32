// Opens the directory store: volumes in a folder of the directory, beside the objects that are files of their own.
import { join } from 'node:path'
import type { Checksum } from '../../../core/checksum.ts'
import type { EventHook } from '../../../observe/events.ts'
import type { Clock, Random } from '../../../time/clock.ts'
import { DirectoryObjects } from '../directory.ts'
import { volumeFilesIn } from './volume-files.ts'
import { asStoreError } from './volume-folder.ts'
import { nonceBytes } from './volume-format.ts'
import { VolumeObjects } from './volume-objects.ts'

export interface VolumeDirectoryOptions {
  /** `strict`: a put that resolved survives power loss. Otherwise it survives the end of the process, because the operating system has it. */
  readonly durability: 'strict' | 'os' | 'memory'
  readonly crc32c: Checksum
  readonly random: Random
  readonly clock: Pick<Clock, 'after'>
  readonly emit: EventHook
}

/** No key has a part with this character, so the folder is never taken for one of objects. */
export const volumeFolder = '~volumes'

/** Creates the folder if it is missing. Throws an ObjectStoreError. */
export function openVolumes(root: string, { durability: mode, crc32c, random, clock, emit }: VolumeDirectoryOptions): VolumeObjects {
  const durability = mode === 'strict' ? 'strict' : 'os'
  const onNotice = (message: string): void => emit({ kind: 'notice', message })
  const plain = new DirectoryObjects(root, { durability, onNotice })
  const folder = join(root, volumeFolder)
  try {
    const nonce = (): Uint8Array => random.bytes(nonceBytes)
    return new VolumeObjects({ files: volumeFilesIn(folder), plain, durability, crc32c, nonce, clock, onNotice })
  } catch (error) {
    throw asStoreError(error, 'no', `open the volumes in ${folder}`)
  }
}
