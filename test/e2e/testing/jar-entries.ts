// Reads entries of a jar: as much of the zip format (PKWARE APPNOTE 6.3, §4.3) as jars need, because Node unpacks deflate but knows no archives.
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const signatures = { entry: 0x0201_4b50, end: 0x0605_4b50 }
const deflated = 8

/** The texts of the entries whose names match. */
export function jarEntries(jar: string, wanted: RegExp): ReadonlyMap<string, string> {
  const zip = readFileSync(jar)
  let end = zip.length - 22
  while (end >= 0 && zip.readUInt32LE(end) !== signatures.end) end--
  if (end < 0) throw new Error(`${jar} is not a jar file`)
  const entries = new Map<string, string>()
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(at) !== signatures.entry) throw new Error(`${jar}: the directory breaks off`)
    const nameLength = zip.readUInt16LE(at + 28)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    if (wanted.test(name)) entries.set(name, contents(zip, at))
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return entries
}

function contents(zip: Buffer, entry: number): string {
  const local = zip.readUInt32LE(entry + 42)
  const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  const packed = zip.subarray(from, from + zip.readUInt32LE(entry + 20))
  return (zip.readUInt16LE(entry + 10) === deflated ? inflateRawSync(packed) : packed).toString('utf8')
}
