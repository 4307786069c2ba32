// The codecs and the checksum on Node: zlib for gzip and zstd, WebAssembly for snappy and LZ4, native code for CRC-32C.
// Each is loaded at its first use: most servers never decompress a batch, and milliseconds count at the start.
import { createRequire } from 'node:module'
import type { Codec, Codecs } from '@local-kafka-service/protocol'
import { crc32c as plainCrc32c } from '@local-kafka-service/protocol'
import type { Checksum } from './core/checksum.ts'
import type { CodecThread } from './memory/codec-thread.ts'
import type { RemotePackers } from './memory/packer.ts'
import type { RemoteCodecs } from './memory/unpacker.ts'
import { isError } from './native-error.ts'

const load = createRequire(import.meta.url)

export const nodeCodecs: Codecs = {
  gzip: {
    compress: (bytes) => zlib().gzipSync(bytes),
    decompress: (bytes, maxBytes) => zlib().gunzipSync(bytes, piecesOf(maxBytes)),
  },
  zstd: {
    compress: (bytes) => zlib().zstdCompressSync(bytes),
    decompress: (bytes, maxBytes) => wholeFrames(bytes, zlib().zstdDecompressSync(bytes, { ...piecesOf(maxBytes), info: true })),
  },
  snappyBlock: wasmCodec('snappyCompress', 'snappyDecompress'),
  lz4Frame: wasmCodec('lz4Compress', 'lz4Decompress'),
}

/** gzip and zstd on Node's own threads, where one piece of the right size costs half of the CPU time of pieces of 16 KB. The others in the given thread. */
export function remoteCodecs(thread: Pick<CodecThread, 'unpacked'>): RemoteCodecs {
  return {
    gzip: (bytes, maxBytes) => called((done) => zlib().gunzip(bytes, pieceOf(maxBytes), done)),
    zstd: async (bytes, maxBytes) =>
      wholeFrames(bytes, await called((done) => zlib().zstdDecompress(bytes, { ...pieceOf(maxBytes), info: true }, done))),
    snappy: (bytes, maxBytes) => thread.unpacked('snappy', bytes, maxBytes),
    lz4: (bytes, maxBytes) => thread.unpacked('lz4', bytes, maxBytes),
  }
}

/** The other direction, on the same threads. */
export function remotePackers(thread: Pick<CodecThread, 'packed'>): RemotePackers {
  return {
    gzip: (bytes, level) => called((done) => zlib().gzip(bytes, level === undefined ? {} : { level }, done)),
    zstd: (bytes, level) => called((done) => zlib().zstdCompress(bytes, zstdOptions(level, bytes), done)),
    snappy: (bytes) => thread.packed('snappy', bytes),
    lz4: (bytes) => thread.packed('lz4', bytes),
  }
}

/** CRC-32C by the processor's own instructions; in plain TypeScript on platforms without a binary. */
export const nativeCrc32c: Checksum = (bytes, seed = 0) => chosenCrc32c()(bytes, seed)

type Wasm = typeof import('@platformatic/wasm-utils')
type Zlib = typeof import('node:zlib')
let loadedZlib: Zlib | undefined
let loadedWasm: Wasm | undefined
let loadedCrc32c: Checksum | undefined

function zlib(): Zlib {
  return (loadedZlib ??= load('node:zlib') as Zlib)
}

function wasm(): Wasm {
  return (loadedWasm ??= load('#wasm-utils') as Wasm)
}

function wasmCodec(compress: 'snappyCompress' | 'lz4Compress', decompress: 'snappyDecompress' | 'lz4Decompress'): Codec {
  return {
    compress: (bytes) => wasm()[compress](asBuffer(bytes)),
    decompress: (bytes) => wasm()[decompress](asBuffer(bytes)),
  }
}

function chosenCrc32c(): Checksum {
  if (loadedCrc32c !== undefined) return loadedCrc32c
  try {
    const { crc32c } = load('@node-rs/crc32') as typeof import('@node-rs/crc32')
    loadedCrc32c = (bytes, seed = 0) => crc32c(bytes, seed)
  } catch (error) {
    if (!isMissingBinary(error)) throw error
    loadedCrc32c = plainCrc32c
  }
  return loadedCrc32c
}

function isMissingBinary(error: unknown): boolean {
  return isError(error) && (('code' in error && error.code === 'MODULE_NOT_FOUND') || /native binding/i.test(error.message))
}

function called<T = Uint8Array>(start: (done: (error: Error | null, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

/** What zlib returns with `info: true`; its types do not have it. */
interface Unpacked {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

/** zlib ignores bytes after the last frame of zstd; a consumer's decoder fails there. Throws an Error. */
function wholeFrames(packed: Uint8Array, unpacked: unknown): Uint8Array {
  // The cast: zlib was called with `info: true`.
  const { buffer, engine } = unpacked as Unpacked
  if (engine.bytesWritten !== packed.length) throw new Error(`${packed.length - engine.bytesWritten} bytes follow the last frame`)
  return buffer
}

/** With the size, zstd takes no more memory than the bytes need: the highest levels would take some 100 MB. */
function zstdOptions(
  level: number | undefined,
  { length }: Uint8Array,
): { readonly params?: Readonly<Record<number, number>>; readonly pledgedSrcSize: number } {
  const { ZSTD_c_compressionLevel: name } = zlib().constants
  return { pledgedSrcSize: length, ...(level !== undefined && { params: { [name]: level } }) }
}

/** The limit may be far above the size. */
function piecesOf(maxBytes: number): { readonly maxOutputLength: number; readonly chunkSize: number } {
  return { maxOutputLength: bounded(maxBytes), chunkSize: Math.min(bounded(maxBytes) + 64, 64 * 1024) }
}

/** A piece that is full makes zlib allocate another one, so there is some room after the last byte. */
function pieceOf(maxBytes: number): { readonly maxOutputLength: number; readonly chunkSize: number } {
  return { maxOutputLength: bounded(maxBytes), chunkSize: bounded(maxBytes) + 64 }
}

/** zlib needs room for at least one byte. */
function bounded(maxBytes: number): number {
  return Math.max(1, maxBytes)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
