// One topic: its messages, its partitions, its configs.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call, ProblemError } from '../api/client.ts'
import { count, plural } from '../format.ts'
import { Empty, Failure, Loading } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'
import { type TopicTab, topicAddress } from '../route.ts'
import { Configs } from './configs.tsx'
import { DeleteTopic } from './delete-topic.tsx'
import { KeptRecords } from './kept-records.tsx'
import { Messages } from './messages.tsx'
import { Partitions } from './partitions.tsx'

const everyMs = 3_000

const tabs: readonly (readonly [TopicTab, string])[] = [
  ['messages', 'Messages'],
  ['partitions', 'Partitions'],
  ['configs', 'Configs'],
]

export function TopicPage({ topic, tab }: { readonly topic: string; readonly tab: TopicTab }): JSX.Element {
  const shown = usePolled(
    `topic ${topic}`,
    (signal) => call('showTopic', { params: { topic }, query: { counts: 'records' }, signal }),
    everyMs,
  )
  const [from, setFrom] = useState(0)
  const partitions = usePolled(
    `partitions ${topic} ${from}`,
    (signal) => call('showPartitions', { params: { topic }, query: { from: String(from) }, signal }),
    everyMs,
  )
  const [deleting, setDeleting] = useState(false)
  const answer = shown.answer
  if (shown.error instanceof ProblemError && shown.error.problem.error_code === 404)
    return (
      <Empty isPage title={`There is no topic ${topic}`}>
        <p>It may have been deleted.</p>
        <p>
          <a href="#/">All topics</a>
        </p>
      </Empty>
    )
  if (answer === undefined) return shown.error === undefined ? <Loading what="the topic" /> : <Failure error={shown.error} />
  const { records } = answer
  return (
    <>
      <header class="title">
        <div>
          <h1>{topic}</h1>
          <p class="note">
            {plural(answer.partitions, 'partition')}
            {records !== undefined && `, ${plural(records, 'record')}`}
            {answer.config['cleanup.policy']?.includes('compact') === true && ', compacted'}
          </p>
        </div>
        <button type="button" class="danger" onClick={() => setDeleting(true)}>
          Delete topic
        </button>
      </header>
      {deleting && (
        <DeleteTopic topic={topic} records={records === undefined ? undefined : count(records)} onClose={() => setDeleting(false)} />
      )}
      <nav class="tabs" aria-label="Parts of the topic">
        {tabs.map(([name, label]) => (
          <a key={name} href={topicAddress(topic, name)} aria-current={name === tab ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      {tab === 'messages' && <Messages topic={topic} partitionCount={answer.partitions} />}
      {tab === 'partitions' && (
        <>
          <KeptRecords topic={topic} configs={answer.effectiveConfig} onCompacted={partitions.refresh} />
          <section>
            <h2>Partitions</h2>
            <Partitions
              polled={partitions}
              total={answer.partitions}
              from={from}
              onPage={setFrom}
              topic={topic}
              mayDelete={answer.config['cleanup.policy'] !== 'compact'}
            />
          </section>
        </>
      )}
      {tab === 'configs' && <Configs topic={topic} configs={answer.effectiveConfig} onChanged={shown.refresh} />}
    </>
  )
}
