// Keys, values, records and times for people, on a terminal of 80 columns: text in quotes, other bytes in hexadecimal, both shortened.

const strict = new TextDecoder('utf-8', { fatal: true })

/** At most about `width` characters. */
export function bytesText(bytes: Uint8Array | null, width: number): string {
  if (bytes === null) return 'null'
  const text = textOf(bytes)
  if (text === undefined) return hexText(bytes, width)
  const quoted = JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  if (quoted.length <= width) return quoted
  const rest = ` (${bytes.length} B)`
  const kept = quoted.slice(0, Math.max(8, width - rest.length - 2))
  // Never inside an escape or a surrogate pair.
  return `${kept.replace(/\\(u[0-9a-f]{0,3})?$/, '').replace(/[\ud800-\udbff]$/, '')}…"${rest}`
}

/** `orders[0] @12  key "42"  value "{…}"` */
export function recordText(
  record: {
    readonly topic: string
    readonly partition: number
    readonly offset: number
    readonly key: Uint8Array | null
    readonly value: Uint8Array | null
  },
  width = 78,
): string {
  const { topic, partition, offset, key, value } = record
  const place = `${topic}[${partition}] @${offset}`
  const keyPart = key === null ? '' : `  key ${bytesText(key, 24)}`
  return `${place}${keyPart}  value ${bytesText(value, Math.max(20, width - place.length - keyPart.length - 8))}`
}

export function durationText(ms: number): string {
  return ms < 1_000 || ms % 100 !== 0 ? `${ms} ms` : `${ms / 1_000} s`
}

/** Undefined: not UTF-8, or with too many control characters. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = strict.decode(bytes)
    const odd = text.match(/[^\P{Cc}\t\n\r]/gu)?.length ?? 0
    return odd > text.length / 8 ? undefined : text
  } catch {
    return undefined
  }
}

function hexText(bytes: Uint8Array, width: number): string {
  const rest = ` (${bytes.length} B)`
  const room = Math.max(4, Math.floor((width - rest.length - 3) / 2))
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, room)).toString('hex')
  return `0x${hex}${bytes.length > room ? '…' : ''}${rest}`
}
