// Reads around the places that a disk cannot read (EIO, ENXIO): there the bytes are zeros, so that the checksums of what was stored there do not match, as after any other damage.
import { hasCode } from './file-errors.ts'

/** A disk loses whole sectors. File systems read pages of this size. */
const sectorBytes = 4_096

export interface BytesRead {
  /** Fewer than were asked for at the end of the file. */
  readonly got: number
  /** So many of them are zeros because the disk cannot read them. */
  readonly unreadable: number
}

/** `read` fills its buffer as far as the file reaches, and returns the number of bytes. Rejects with its errors, except those of the disk. */
export async function readAround(
  read: (into: Uint8Array, position: number) => Promise<number>,
  into: Uint8Array,
  position: number,
): Promise<BytesRead> {
  try {
    return { got: await read(into, position), unreadable: 0 }
  } catch (error) {
    if (!isUnreadable(error)) throw error
  }
  const sum = { got: 0, unreadable: 0 }
  for (const [sector, at] of sectors(into, position)) {
    try {
      sum.got += await read(sector, at)
    } catch (error) {
      skip(sector, sum, error)
    }
  }
  return sum
}

/** As `readAround`, within the turn. */
export function readNowAround(read: (into: Uint8Array, position: number) => number, into: Uint8Array, position: number): BytesRead {
  try {
    return { got: read(into, position), unreadable: 0 }
  } catch (error) {
    if (!isUnreadable(error)) throw error
  }
  const sum = { got: 0, unreadable: 0 }
  for (const [sector, at] of sectors(into, position)) {
    try {
      sum.got += read(sector, at)
    } catch (error) {
      skip(sector, sum, error)
    }
  }
  return sum
}

function skip(sector: Uint8Array, sum: { got: number; unreadable: number }, error: unknown): void {
  if (!isUnreadable(error)) throw error
  sector.fill(0)
  sum.got += sector.length
  sum.unreadable += sector.length
}

/** The disk answers, but cannot read this place. */
function isUnreadable(error: unknown): boolean {
  return hasCode(error, 'EIO', 'ENXIO')
}

/** The parts of the buffer that are in one sector of the file each, with their positions in the file. */
function* sectors(into: Uint8Array, position: number): Iterable<readonly [sector: Uint8Array, position: number]> {
  for (let at = 0; at < into.length; ) {
    const end = Math.min(into.length, at + sectorBytes - ((position + at) % sectorBytes))
    yield [into.subarray(at, end), position + at]
    at = end
  }
}
