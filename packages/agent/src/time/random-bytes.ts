// Random bytes of the operating system. They come from its device where it has one: node:crypto takes 4 ms to load, which every embedded start would wait for.
import { closeSync, openSync, readSync } from 'node:fs'
import { isError } from '../native-error.ts'

const device = '/dev/urandom'
/** Enough for some hundred ids: the device is opened once for all of them. */
const readBytes = 4_096

let unused = new Uint8Array(0)

/**
 * Unpredictable, like those of node:crypto, which is used where the device is missing (on Windows, or in a root directory without devices). Each byte is
 * handed out once.
 */
export function randomBytes(length: number): Uint8Array {
  if (unused.length < length) unused = fromDevice(Math.max(length, readBytes)) ?? fromCrypto(length)
  const bytes = unused.slice(0, length)
  unused = unused.subarray(length)
  return bytes
}

/** Undefined if there is no device that gives all bytes. */
function fromDevice(length: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const file = openSync(device, 'r')
    try {
      const bytes = new Uint8Array(length)
      return readSync(file, bytes) === length ? bytes : undefined
    } finally {
      closeSync(file)
    }
  } catch (error) {
    if (isError(error) && 'code' in error) return undefined
    throw error
  }
}

function fromCrypto(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(process.getBuiltinModule('node:crypto').randomBytes(length))
}
