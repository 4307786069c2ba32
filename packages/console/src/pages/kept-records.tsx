// What a topic keeps of its records, in words; and compaction on request.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import type { Operations } from '../api/operations.ts'
import { bytes, duration } from '../format.ts'
import { Failure } from '../parts/states.tsx'
import { topicAddress } from '../route.ts'

type Configs = Operations['showTopic']['answer']['effectiveConfig']

interface KeptRecordsProps {
  readonly topic: string
  readonly configs: Configs
  readonly onCompacted: () => void
}

export function KeptRecords({ topic, configs, onCompacted }: KeptRecordsProps): JSX.Element {
  const [state, setState] = useState<{ readonly busy: boolean; readonly done?: true; readonly error?: unknown }>({ busy: false })
  const compact = async (): Promise<void> => {
    setState({ busy: true })
    try {
      await call('compactTopic', { params: { topic } })
      setState({ busy: false, done: true })
      onCompacted()
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <section>
      <h2>What is kept</h2>
      {sentencesOf(configs).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <p class="note">
        The <a href={topicAddress(topic, 'configs')}>configs</a> cleanup.policy, retention.ms and retention.bytes say so.
      </p>
      {isCompacted(configs) && (
        <p class="buttons">
          <button type="button" disabled={state.busy} onClick={() => void compact()}>
            {state.busy ? 'Compacting…' : 'Compact now'}
          </button>
          <span role="status">{state.done === true ? 'The topic is compacted.' : ''}</span>
        </p>
      )}
      {state.error !== undefined && <Failure error={state.error} />}
    </section>
  )
}

/** Exported for its test. */
export function sentencesOf(configs: Configs): readonly string[] {
  const policy = valueOf(configs, 'cleanup.policy')
  const isDeleting = policy.split(',').includes('delete')
  const maxAgeMs = Number(valueOf(configs, 'retention.ms'))
  const maxBytes = Number(valueOf(configs, 'retention.bytes'))
  const sentences = [
    ...(isCompacted(configs)
      ? ['Of each key, the last record is kept. Older ones go when the log is compacted, and tombstones some time after them.']
      : []),
    ...(isDeleting && maxAgeMs >= 0 ? [`Records go when they are older than ${duration(maxAgeMs) ?? `${maxAgeMs} ms`}.`] : []),
    ...(isDeleting && maxBytes >= 0 ? [`The oldest records of a partition go when it is larger than ${bytes(maxBytes)}.`] : []),
  ]
  return sentences.length === 0 ? ['All records are kept.'] : sentences
}

function isCompacted(configs: Configs): boolean {
  return valueOf(configs, 'cleanup.policy').split(',').includes('compact')
}

/** Every topic has every config. */
function valueOf(configs: Configs, wanted: string): string {
  return configs.find(({ name }) => name === wanted)?.value ?? ''
}
