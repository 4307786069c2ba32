// Numbers, sizes and times as text for people.

const whole = new Intl.NumberFormat('en')

/** 1,234,567 */
export function count(value: number): string {
  return whole.format(value)
}

/** 1.2 M: at most three digits. */
export function shortCount(value: number): string {
  if (value > 0 && value < 10) return String(Number(value.toFixed(1)))
  return scaled(value, 1000, ['', ' k', ' M', ' G', ' T'])
}

/** 1.2 MiB */
export function bytes(value: number): string {
  return scaled(value, 1024, [' B', ' KiB', ' MiB', ' GiB', ' TiB'])
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let left = value
  let unit = 0
  while (left >= step * 0.9995 && unit < units.length - 1) {
    left /= step
    unit += 1
  }
  return `${left >= 100 || unit === 0 ? Math.round(left) : Number(left.toFixed(left >= 10 ? 1 : 2))}${units[unit] ?? ''}`
}

/** $0.0042: with the digits that a small amount needs. */
export function dollars(value: number): string {
  if (value === 0) return '$0'
  return value >= 0.01 ? `$${value.toFixed(2)}` : `$${value.toPrecision(2)}`
}

/** 2026-11-29 14:03:22.120 in the time zone of the browser. */
export function localTime(epochMs: number): string {
  const time = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/** The value of an input for a time in the time zone of the browser. `instant`: ISO 8601, or another text for no time. */
export function inputTime(instant: string): string {
  const epochMs = Date.parse(instant)
  return Number.isNaN(epochMs) ? '' : localTime(epochMs).slice(0, 19).replace(' ', 'T')
}

/** 3 min ago */
export function ago(epochMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - epochMs) / 1000)
  if (seconds < 0) return 'in the future'
  if (seconds < 2) return 'now'
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`
  return `${Math.round(seconds / 86_400)} days ago`
}

/** in 3 min */
export function until(epochMs: number, nowMs: number): string {
  const seconds = Math.round((epochMs - nowMs) / 1000)
  if (seconds < 2) return 'now'
  if (seconds < 120) return `in ${seconds} s`
  if (seconds < 7200) return `in ${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `in ${Math.round(seconds / 3600)} h`
  return `in ${Math.round(seconds / 86_400)} days`
}

/** 0.42 ms, 12 ms, 1.5 s: at most three digits. */
export function millis(ms: number): string {
  if (ms >= 999.5) return `${Number((ms / 1000).toFixed(ms >= 9_995 ? 0 : 1))} s`
  return `${Number(ms.toFixed(ms >= 99.5 ? 0 : ms >= 9.95 ? 1 : 2))} ms`
}

/** 7 days, for configs in milliseconds; undefined if the number has no such meaning. */
export function duration(ms: number): string | undefined {
  if (ms <= 0 || !Number.isSafeInteger(ms)) return undefined
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
    [1000, 'second'],
  ]
  const [unit, name] = units.find(([size]) => ms >= size) ?? [1, 'millisecond']
  const value = Number((ms / unit).toFixed(1))
  return `${count(value)} ${name}${value === 1 ? '' : 's'}`
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`
}

/** 604800000 for `7d`, 1048576 for `1 MB`; undefined for what is not a number with a unit. */
export function numberOf(written: string, kind: 'milliseconds' | 'bytes'): number | undefined {
  const parts = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(written)
  if (parts === null) return undefined
  const [, amount, unit = ''] = parts
  const size = units[kind][unit.toLowerCase()]
  return size === undefined ? undefined : Math.round(Number(amount) * size)
}

const kibi = 1024
const units: Readonly<Record<'milliseconds' | 'bytes', Readonly<Record<string, number>>>> = {
  milliseconds: { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 },
  bytes: { k: kibi, kb: kibi, kib: kibi, m: kibi ** 2, mb: kibi ** 2, mib: kibi ** 2, g: kibi ** 3, gb: kibi ** 3, gib: kibi ** 3 },
}
