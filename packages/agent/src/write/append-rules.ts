// The rules that a topic's configs set for a batch.
import { codecNames } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { TopicConfigName } from '../core/config/topic-configs.ts'
import { isCompacted } from '../core/log/compaction/compaction-due.ts'
import type { AppendRules } from '../core/log/validate.ts'
import { fixedLimits } from '../limits.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import { flag, type Settings } from '../settings.ts'
import { topicConfig } from './topic-config.ts'

export function appendRules(
  topic: Pick<Topic, 'configs'>,
  at: { readonly settings: Settings } & Pick<AppendRules, 'nowMs' | 'produceVersion' | 'inTransaction'>,
): AppendRules {
  const value = (name: TopicConfigName): string => topicConfig(topic.configs, at.settings, name).value
  return {
    maxBytes: largestBatchBytes(topic, at.settings),
    timestampType: value('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    beforeMaxMs: BigInt(value('message.timestamp.before.max.ms')),
    afterMaxMs: BigInt(value('message.timestamp.after.max.ms')),
    nowMs: at.nowMs,
    produceVersion: at.produceVersion,
    inTransaction: at.inTransaction,
    opensCompressed: flag(at.settings, 'validate.compressed.batches'),
    needsKeys: isCompacted(value('cleanup.policy')),
    compression: compressionOf(value),
  }
}

function compressionOf(value: (name: TopicConfigName) => string): AppendRules['compression'] {
  const type = value('compression.type')
  if (type === 'producer') return undefined
  if (type === 'uncompressed') return { codec: 'none' }
  const codec = must(
    codecNames.find((name) => name === type),
    'the codec of a checked compression.type',
  )
  // Snappy has no levels, and neither has the LZ4 of this server.
  if (codec !== 'gzip' && codec !== 'zstd') return { codec }
  const level = Number(value(`compression.${codec}.level`))
  return { codec, level: level === defaultLevels[codec] ? undefined : level }
}

/** Those of the libraries. */
const defaultLevels = { gzip: -1, zstd: 3 } as const

/** `max.message.bytes`. It may exceed what a request can hold. */
export function largestBatchBytes({ configs }: Pick<Topic, 'configs'>, settings: Settings): number {
  return Math.min(Number(topicConfig(configs, settings, 'max.message.bytes').value), fixedLimits.requestBytes)
}
