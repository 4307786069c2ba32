// The rules that a topic's configs set for a batch.
import type { AppendRules } from '../core/log/validate.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import { flag, type Settings, type TopicSettingName, topicConfig } from '../settings.ts'

export function appendRules(
  topic: Pick<Topic, 'configs'>,
  at: { readonly settings: Settings; readonly nowMs: number; readonly produceVersion: number },
): AppendRules {
  const value = (name: TopicSettingName): string => topicConfig(topic.configs, at.settings, name).value
  return {
    maxBytes: Number(value('max.message.bytes')),
    timestampType: value('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    beforeMaxMs: BigInt(value('message.timestamp.before.max.ms')),
    afterMaxMs: BigInt(value('message.timestamp.after.max.ms')),
    nowMs: at.nowMs,
    produceVersion: at.produceVersion,
    opensCompressed: flag(at.settings, 'validate.compressed.batches'),
  }
}
