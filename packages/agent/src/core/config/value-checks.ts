// The values of configs as Kafka's ConfigDef reads them: the normal form of each type, and the checks with Kafka's own texts.
import { errors, type Outcome } from '@local-kafka-service/protocol'
import type { ConfigCheck, ConfigDef, ConfigType } from './config-def.ts'

/** The value in its normal form, as DescribeConfigs returns it, or INVALID_CONFIG with Kafka's text. */
export function checkedValue(def: ConfigDef, value: string): Outcome<string> {
  const { name, effect } = def
  const normal = normalForm(def.type, value)
  if (normal.kind === 'wrong') return invalid(`Invalid value ${value} for configuration ${name}: ${normal.why}`)
  const wrong = def.check?.(normal.value)
  if (wrong !== undefined && 'whole' in wrong)
    return { kind: 'error', code: errors[wrong.error ?? 'INVALID_CONFIG'].code, message: wrong.whole }
  if (wrong !== undefined) return invalid(`Invalid value ${wrong.shown ?? normal.value} for configuration ${name}: ${wrong.why}`)
  if (effect.kind === 'not supported' && !effect.accepts.includes(normal.value))
    return invalid(`Invalid value ${normal.value} for configuration ${name}: ${effect.why}`)
  // Kafka checks a list before it removes what occurs twice.
  return { kind: 'ok', value: def.type === 'list' ? [...new Set(listItems(normal.value))].join(',') : normal.value }
}

/** The items of a list, without empty ones. */
export function listItems(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

export function atLeast(min: number): ConfigCheck {
  return (value) => (Number(value) < min ? { why: `Value must be at least ${min}` } : undefined)
}

export function between(min: number, max: number): ConfigCheck {
  return (value) => atLeast(min)(value) ?? (Number(value) > max ? { why: `Value must be no more than ${max}` } : undefined)
}

/** Kafka's check of the level of gzip. */
export function betweenOrDefault(min: number, max: number, fallback: number): ConfigCheck {
  return (value) =>
    Number(value) === fallback || between(min, max)(value) === undefined
      ? undefined
      : { why: `Value must be between ${min} and ${max} or equal to ${fallback}` }
}

export function oneOf(...allowed: readonly string[]): ConfigCheck {
  return (value) => (allowed.includes(value) ? undefined : { why: `String must be one of: ${allowed.join(', ')}` })
}

export function eachOneOf(...allowed: readonly string[]): ConfigCheck {
  return (value) => {
    const foreign = listItems(value).find((item) => !allowed.includes(item))
    return foreign === undefined ? undefined : { shown: foreign, why: `String must be one of: ${allowed.join(', ')}` }
  }
}

/** A list of [partitionId]:[brokerId], or `*`. */
export function throttledReplicas(name: string): ConfigCheck {
  return (value) => {
    const items = listItems(value)
    if (value === '*' || items.every((item) => /^\d+:\d+$/.test(item))) return undefined
    const format = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
    return {
      shown: `[${items.join(', ')}]`,
      why: `${name} must be the literal '*' or a list of replicas in the following format: ${format}`,
    }
  }
}

type NormalForm = { readonly kind: 'normal'; readonly value: string } | { readonly kind: 'wrong'; readonly why: string }

function normalForm(type: ConfigType, value: string): NormalForm {
  const trimmed = value.trim()
  switch (type) {
    case 'string':
      return { kind: 'normal', value: trimmed }
    case 'boolean': {
      const lower = trimmed.toLowerCase()
      return lower === 'true' || lower === 'false'
        ? { kind: 'normal', value: lower }
        : { kind: 'wrong', why: 'Expected value to be either true or false' }
    }
    case 'int':
      return wholeNumber(trimmed, 'INT', 32)
    case 'long':
      return wholeNumber(trimmed, 'LONG', 64)
    case 'double':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)
        ? { kind: 'normal', value: javaDouble(Number(trimmed)) }
        : { kind: 'wrong', why: 'Not a number of type DOUBLE' }
    case 'list':
      return { kind: 'normal', value: listItems(trimmed).join(',') }
  }
}

function wholeNumber(text: string, type: 'INT' | 'LONG', bits: 32 | 64): NormalForm {
  // A longer text is out of range, whatever its digits are.
  if (/^[+-]?\d{1,40}$/.test(text)) {
    const number = BigInt(text)
    if (BigInt.asIntN(bits, number) === number) return { kind: 'normal', value: number.toString() }
  }
  return { kind: 'wrong', why: `Not a number of type ${type}` }
}

/** Java's text of a double. */
function javaDouble(number: number): string {
  const size = Math.abs(number)
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) {
    const [digits = '', exponent = ''] = number.toExponential().split('e')
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
  }
  return Number.isInteger(number) ? `${number}.0` : String(number)
}

function invalid(message: string): Outcome<never> {
  return { kind: 'error', code: errors.INVALID_CONFIG.code, message }
}
