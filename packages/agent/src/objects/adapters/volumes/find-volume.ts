// Reads a volume that is there: by its index, or frame by frame if it has none, as after a crash.
import type { Checksum } from '../../../core/checksum.ts'
import { ObjectStoreError } from '../../object-store.ts'
import { readNowAround } from '../read-around.ts'
import { Volume } from './volume.ts'
import type { VolumeFile, VolumeFiles } from './volume-files.ts'
import {
  bodyStart,
  type DecodedFrame,
  decodeFrameHeader,
  decodeIndex,
  decodeIndexTrailer,
  decodeVolumeHeader,
  type FramePlace,
  frameEnd,
  frameHeaderBytes,
  frameNonceAt,
  indexTrailerBytes,
  longestFrameKey,
  nextFrameMark,
  nonceBytes,
  trailerNonceAt,
  volumeFormat,
  volumeHeaderBytes,
} from './volume-format.ts'

export type FoundVolume =
  | {
      readonly kind: 'volume'
      readonly volume: Volume
      readonly torn: Torn
    }
  /** Neither its header nor its index nor its first frame has its nonce: nothing in it can be read. */
  | { readonly kind: 'damaged'; readonly sizeBytes: number }

/** What is not whole in a volume without an index. */
export interface Torn {
  /** Objects whose bytes are cut off or changed. They are kept: their readers check single batches, and an object that no commit names does no harm. */
  readonly objects: number
  /** Bytes between and after the frames that belong to none. */
  readonly lostBytes: number
  /** The disk cannot read some of the bytes. They count as zeros, so the file may have objects that were not found. */
  readonly isUnreadable: boolean
}

interface Reading {
  readonly file: FileAround
  readonly nonce: Uint8Array
  readonly crc32c: Checksum
  readonly fileBytes: number
}

/** Throws the file system's error, and an ObjectStoreError ('invalid') for a volume of a newer format. */
export function findVolume(files: VolumeFiles, name: string, crc32c: Checksum): FoundVolume {
  const opened = files.open(name)
  const file = new FileAround(opened)
  try {
    const fileBytes = opened.sizeBytes()
    const header = decodeVolumeHeader(file.read(0, Math.min(fileBytes, volumeHeaderBytes)))
    if (header.kind === 'newer')
      throw new ObjectStoreError(
        'invalid',
        'no',
        `the volume ${name} needs a reader of format ${header.minimumReader}; this server reads ${volumeFormat}`,
      )
    const stored = header.kind === 'volume' ? [header.nonce] : []
    // The header has no checksum, and all depends on the nonce in it. The index and the frames have the nonce as well.
    const nonces = [...stored, ...nonceOfTrailer(file, fileBytes), ...nonceOfFirstFrame(file, fileBytes)]
    for (const nonce of nonces) {
      const indexed = readIndex({ file, nonce, crc32c, fileBytes })
      if (indexed === undefined) continue
      const volume = Volume.found({ files, name, nonce, crc32c }, indexed.frames, { end: indexed.indexStart, sealed: true })
      return { kind: 'volume', volume, torn: { objects: 0, lostBytes: 0, isUnreadable: file.isUnreadable } }
    }
    const readable = nonces.find((nonce) => frameAt({ file, nonce, crc32c, fileBytes }, volumeHeaderBytes) !== undefined) ?? stored[0]
    if (readable === undefined) return { kind: 'damaged', sizeBytes: fileBytes }
    const { frames, end, torn } = readFrames({ file, nonce: readable, crc32c, fileBytes })
    return { kind: 'volume', volume: Volume.found({ files, name, nonce: readable, crc32c }, frames, { end, sealed: false }), torn }
  } finally {
    opened.close()
  }
}

function readIndex({
  file,
  nonce,
  crc32c,
  fileBytes,
}: Reading): { readonly frames: readonly DecodedFrame[]; readonly indexStart: number } | undefined {
  if (fileBytes < volumeHeaderBytes + indexTrailerBytes) return undefined
  const trailer = decodeIndexTrailer(file.read(fileBytes - indexTrailerBytes, indexTrailerBytes), { nonce, fileBytes })
  if (trailer === undefined) return undefined
  const frames = decodeIndex(file.read(trailer.indexStart, fileBytes - trailer.indexStart), trailer, crc32c)
  return frames === undefined ? undefined : { frames, indexStart: trailer.indexStart }
}

/** Reads frame after frame, and their bodies: without an index nothing says that these were written to their ends. */
function readFrames(reading: Reading): { readonly frames: readonly DecodedFrame[]; readonly end: number; readonly torn: Torn } {
  const { fileBytes } = reading
  const frames: DecodedFrame[] = []
  let objects = 0
  let lostBytes = 0
  let end = volumeHeaderBytes
  for (let at = volumeHeaderBytes; at < fileBytes; ) {
    const frame = frameAt(reading, at)
    if (frame === undefined) {
      at = findMark(reading, at + 1)
      continue
    }
    frames.push(frame)
    lostBytes += Math.max(0, at - end)
    if (frameEnd(frame) <= fileBytes && hasItsBody(reading, frame)) {
      end = frameEnd(frame)
      at = end
    } else {
      if (!frame.removed) objects += 1
      // Its length may be right although its body is not. But nothing says that the next frame was not written before its end.
      end = Math.min(frameEnd(frame), fileBytes)
      at = findMark(reading, at + 1)
    }
  }
  return { frames, end, torn: { objects, lostBytes: lostBytes + (fileBytes - end), isUnreadable: reading.file.isUnreadable } }
}

function nonceOfTrailer(file: FileAround, fileBytes: number): readonly Uint8Array[] {
  return fileBytes < volumeHeaderBytes + indexTrailerBytes ? [] : [file.read(fileBytes - indexTrailerBytes + trailerNonceAt, nonceBytes)]
}

function nonceOfFirstFrame(file: FileAround, fileBytes: number): readonly Uint8Array[] {
  return fileBytes < volumeHeaderBytes + frameHeaderBytes ? [] : [file.read(volumeHeaderBytes + frameNonceAt, nonceBytes)]
}

function frameAt({ file, nonce, crc32c, fileBytes }: Reading, at: number): DecodedFrame | undefined {
  const bytes = file.read(at, Math.min(frameHeaderBytes + longestFrameKey, fileBytes - at))
  return decodeFrameHeader(bytes, 0, { bytesStart: at, nonce, crc32c })
}

const windowBytes = 1024 * 1024

function hasItsBody({ file, crc32c }: Reading, place: FramePlace): boolean {
  let checksum = 0
  for (let done = 0; done < place.bodyBytes; ) {
    const bytes = file.read(bodyStart(place) + done, Math.min(windowBytes, place.bodyBytes - done))
    if (bytes.length === 0) return false
    checksum = crc32c(bytes, checksum)
    done += bytes.length
  }
  return checksum === place.checksum
}

/** The next position where a frame of this volume may begin, or the end of the file. */
function findMark({ file, fileBytes }: Reading, from: number): number {
  for (let at = from; at < fileBytes; ) {
    const bytes = file.read(at, Math.min(windowBytes, fileBytes - at))
    const found = nextFrameMark(bytes, 0)
    if (found >= 0) return at + found
    if (bytes.length < 4) break
    // A mark may lie across two windows.
    at += bytes.length === fileBytes - at ? bytes.length : bytes.length - 3
  }
  return fileBytes
}

/** A file whose bytes are zeros where the disk cannot read them. */
class FileAround {
  readonly #file: VolumeFile
  isUnreadable = false

  constructor(file: VolumeFile) {
    this.#file = file
  }

  /** As many of the bytes as the file has. */
  read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    const { got, unreadable } = readNowAround((into, position) => this.#file.readNow(into, position), bytes, at)
    if (unreadable > 0) this.isUnreadable = true
    return bytes.subarray(0, got)
  }
}
