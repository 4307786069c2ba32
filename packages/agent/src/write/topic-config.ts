// A topic's effective configs: the values that count, and where they come from.
import { must } from '../core/assert.ts'
import type { DynamicValue } from '../core/config/broker-configs.ts'
import type { ConfigDef } from '../core/config/config-def.ts'
import { type TopicConfigName, topicConfigs } from '../core/config/topic-configs.ts'
import type { RetentionConfigs } from '../core/log/retention.ts'
import { agentSettings, type SettingSource, type Settings } from '../settings.ts'

export type TopicConfigSource = 'DYNAMIC_TOPIC_CONFIG' | DynamicValue['source'] | 'STATIC_BROKER_CONFIG' | 'DEFAULT_CONFIG'

/**
 * A topic's effective config: its own value, otherwise the broker's synonym as it was set at run time, otherwise as the agent was started with, otherwise
 * the default. The source is in the words of DescribeConfigs.
 */
export function topicConfig(
  own: Readonly<Record<string, string>>,
  of: Settings,
  name: TopicConfigName,
): { readonly value: string; readonly source: TopicConfigSource } {
  const mine = own[name]
  if (mine !== undefined) return { value: mine, source: 'DYNAMIC_TOPIC_CONFIG' }
  const { synonym, default: fallback } = topicSetting(name)
  const [changed] = dynamicValues(of, synonym)
  if (changed !== undefined) return { value: changed.value, source: changed.source }
  const agents = settingNamed(of, synonym)
  if (agents?.value != null && agents.source !== 'default') return { value: agents.value, source: 'STATIC_BROKER_CONFIG' }
  return { value: agents?.value ?? fallback, source: 'DEFAULT_CONFIG' }
}

/** The values that a topic's config can come from, in order of precedence: the synonyms of DescribeConfigs. */
export function topicConfigSources(
  own: Readonly<Record<string, string>>,
  of: Settings,
  name: TopicConfigName,
): readonly { readonly name: string; readonly value: string; readonly source: TopicConfigSource }[] {
  const mine = own[name]
  const { synonym, synonymFallback, default: fallback } = topicSetting(name)
  const agents = settingNamed(of, synonym)
  const given = agents?.value != null && agents.source !== 'default' ? agents.value : undefined
  const changed = dynamicValues(of, synonym).map(({ given: value, source }) => ({ name: synonym ?? name, value, source }))
  const agentDefault = agentSettings.find((setting) => setting.name === synonym)?.default[of.mode] ?? fallback
  return [
    ...(mine === undefined ? [] : [{ name, value: mine, source: 'DYNAMIC_TOPIC_CONFIG' as const }]),
    ...changed,
    ...(given === undefined || synonym === undefined ? [] : [{ name: synonym, value: given, source: 'STATIC_BROKER_CONFIG' as const }]),
    ...(synonymFallback === undefined || changed.length === 0 ? [] : [{ ...synonymFallback, source: 'DEFAULT_CONFIG' as const }]),
    ...(synonym === undefined || synonymFallback !== undefined
      ? []
      : [{ name: synonym, value: given === undefined ? (agents?.value ?? fallback) : agentDefault, source: 'DEFAULT_CONFIG' as const }]),
  ]
}

/** The configs of retention that count for topics without their own. */
export function retentionDefaults(of: Settings): RetentionConfigs {
  const value = (name: keyof RetentionConfigs): string => topicConfig({}, of, name).value
  return { 'cleanup.policy': value('cleanup.policy'), 'retention.ms': value('retention.ms'), 'retention.bytes': value('retention.bytes') }
}

function topicSetting(name: TopicConfigName): ConfigDef {
  return must(topicConfigsByName.get(name), `the topic config ${name}`)
}

/** A request over thousands of topics looks several up for each. */
const topicConfigsByName: ReadonlyMap<string, ConfigDef> = new Map(topicConfigs.map((config) => [config.name, config]))
const settingNames: ReadonlyMap<string, (typeof agentSettings)[number]['name']> = new Map(agentSettings.map(({ name }) => [name, name]))

const none: readonly DynamicValue[] = []

function dynamicValues(of: Settings, synonym: string | undefined): readonly DynamicValue[] {
  return synonym === undefined ? none : (of.dynamic?.(synonym) ?? none)
}

function settingNamed(
  of: Settings,
  name: string | undefined,
): { readonly value: string | null; readonly source: SettingSource } | undefined {
  const known = name === undefined ? undefined : settingNames.get(name)
  return known && of.values.get(known)
}
