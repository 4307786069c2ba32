// Kafka's numbers for the source of a config's value, and for its type.
import type { SettingType } from '../settings.ts'

export const configSources = {
  DYNAMIC_TOPIC_CONFIG: 1,
  STATIC_BROKER_CONFIG: 4,
  DEFAULT_CONFIG: 5,
} as const

export const configTypes: Readonly<Record<SettingType, number>> = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 }
