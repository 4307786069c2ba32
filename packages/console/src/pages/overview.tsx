// The first page: what is in the cluster, how fast it changes, and what is wrong, in words.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { type Metrics, metricsOf, sum } from '../api/metrics.ts'
import { ago, bytes, count, dollars, plural, shortCount } from '../format.ts'
import { Chart } from '../parts/chart.tsx'
import { Scroll } from '../parts/scroll.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'
import { useRates } from '../parts/use-rates.ts'
import { topicAddress } from '../route.ts'
import { CreateTopic } from './create-topic.tsx'
import { FirstMessage } from './first-message.tsx'
import { GroupTable, loadGroups } from './groups.tsx'
import { OverviewServer } from './overview-server.tsx'

const oftenMs = 2_000
/** A rate needs two answers. */
const soonMs = 300
/** Bytes add up the segments of all logs, and the lag of a group is a request of its own. */
const seldomMs = 8_000

interface Now {
  readonly topics: Awaited<ReturnType<typeof call<'listTopics'>>>['topics']
  readonly metrics: Metrics
  readonly readiness: Awaited<ReturnType<typeof call<'readyz'>>>
  readonly totals: Readonly<Record<string, number>>
}

export function Overview(): JSX.Element {
  const now = usePolled('overview', loadNow, oftenMs, { secondMs: soonMs })
  const sizes = usePolled('sizes', (signal) => call('listTopics', { query: { counts: 'bytes' }, signal }), seldomMs)
  const groups = usePolled('groups', loadGroups, seldomMs)
  const rates = useRates(now.answer?.totals)
  const [creating, setCreating] = useState(false)
  const sizeOf = new Map(sizes.answer?.topics.map(({ id, bytes: size }) => [id, size]))
  return (
    <>
      <header class="title">
        <h1>Overview</h1>
        <button type="button" class="primary" onClick={() => setCreating(true)}>
          Create topic
        </button>
      </header>
      {creating && (
        <CreateTopic
          onClose={() => {
            setCreating(false)
            now.refresh()
          }}
        />
      )}
      <Shown polled={now} what="the overview">
        {({ topics, metrics, readiness }) => (
          <>
            <Troubles readiness={readiness} metrics={metrics} />
            <section class="charts" aria-label="Rates">
              <Chart label="Records in" values={rates['records'] ?? []} format={shortCount} unit="a second" />
              <Chart label="Bytes in" values={rates['bytesIn'] ?? []} format={bytes} unit="a second" />
              <Chart label="Kafka requests" values={rates['requests'] ?? []} format={shortCount} unit="a second" />
              <Chart label="Store requests" values={rates['store'] ?? []} format={shortCount} unit="a second" />
            </section>
            <p class="note">Since this page was opened, for up to two minutes.</p>
            <section>
              <h2>{plural(topics.length, 'topic')}</h2>
              {topics.length === 0 ? (
                <FirstMessage onCreate={() => setCreating(true)} />
              ) : (
                <Scroll label="Topics">
                  <table class="list">
                    <thead>
                      <tr>
                        <th scope="col">Topic</th>
                        <th scope="col" class="number">
                          Records
                        </th>
                        <th scope="col" class="number">
                          Size
                        </th>
                        <th scope="col" class="number">
                          Partitions
                        </th>
                        <th scope="col" class="wide">
                          Created
                        </th>
                      </tr>
                    </thead>
                    <tbody>
                      {topics.map(({ id, name, records, partitions, createdAt }) => (
                        <tr key={id}>
                          <td>
                            <a href={topicAddress(name)}>{name}</a>
                          </td>
                          <td class="number">{records === undefined ? 'not counted' : count(records)}</td>
                          <td class="number">{sizeText(sizeOf.get(id))}</td>
                          <td class="number">{count(partitions)}</td>
                          <td class="wide">{ago(Date.parse(createdAt), Date.now())}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </Scroll>
              )}
            </section>
            <section>
              <h2>Groups</h2>
              <Shown polled={groups} what="the groups">
                {(found) =>
                  found.groups.length === 0 ? (
                    <Empty title="No group yet">
                      <p>A consumer with a group id appears here with its lag.</p>
                    </Empty>
                  ) : (
                    <GroupTable {...found} />
                  )
                }
              </Shown>
            </section>
            <OverviewServer />
            <Store metrics={metrics} />
          </>
        )}
      </Shown>
    </>
  )
}

async function loadNow(signal: AbortSignal): Promise<Now> {
  const [{ topics }, text, readiness] = await Promise.all([
    call('listTopics', { query: { counts: 'records' }, signal }),
    call('metrics', { signal }),
    call('readyz', { signal }),
  ])
  const metrics = metricsOf(text)
  const totals = {
    records: topics.reduce((all, { records = 0 }) => all + records, 0),
    bytesIn: sum(metrics, 'lks_flush_bytes_total'),
    requests: sum(metrics, 'lks_requests_total'),
    store: sum(metrics, 'lks_store_requests_total'),
  }
  return { topics, metrics, readiness, totals }
}

function sizeText(size: number | undefined): string {
  return size === undefined ? '…' : bytes(size)
}

/** What is wrong, one sentence each; nothing if all is well. */
function Troubles({ readiness, metrics }: Pick<Now, 'readiness' | 'metrics'>): JSX.Element | null {
  const { status, reasons = [] } = readiness
  const defects = sum(metrics, 'lks_defects_total')
  const sentences = [
    ...reasons,
    ...(defects > 0 ? [`the server met ${plural(defects, 'defect')} of its own since its start: its log has the cause`] : []),
  ]
  if (sentences.length === 0 && status === 'ready') return null
  return (
    <section class="troubles" role="alert">
      <h2>{status === 'not ready' ? 'The server is not ready' : 'Something needs attention'}</h2>
      <ul>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </section>
  )
}

const operations = [
  ['put', 'Writes (PUT)'],
  ['read', 'Reads (GET)'],
  ['list', 'Lists'],
  ['remove', 'Removals'],
] as const

function Store({ metrics }: { readonly metrics: Metrics }): JSX.Element {
  const perHour = metrics.has('lks_store_dollars_per_hour') ? sum(metrics, 'lks_store_dollars_per_hour') : undefined
  return (
    <section>
      <h2>FileStorage Service</h2>
      <p class="note">
        {perHour === undefined
          ? 'Objects are in a directory or in memory, so requests cost nothing. On S3 this section shows what they cost.'
          : `At the rate of now its requests cost ${dollars(perHour)} an hour, ${dollars(perHour * 730)} a month.`}
      </p>
      <Scroll label="Requests to the store">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Request</th>
              <th scope="col" class="number">
                Count
              </th>
              <th scope="col" class="number">
                Mean time
              </th>
              <th scope="col" class="number">
                Bytes
              </th>
              <th scope="col" class="number">
                Failed
              </th>
            </tr>
          </thead>
          <tbody>
            {operations.map(([operation, name]) => {
              const requests = sum(metrics, 'lks_store_requests_total', { operation })
              const seconds = sum(metrics, 'lks_store_seconds_total', { operation })
              const failures = 'lks_store_failures_total'
              // A look for an object that may not be there is no failure.
              const failed = sum(metrics, failures, { operation }) - sum(metrics, failures, { operation, kind: 'missing' })
              return (
                <tr key={operation}>
                  <td>{name}</td>
                  <td class="number">{count(requests)}</td>
                  <td class="number">{requests === 0 ? '–' : `${((seconds / requests) * 1000).toFixed(1)} ms`}</td>
                  <td class="number">{bytes(sum(metrics, 'lks_store_bytes_total', { operation }))}</td>
                  <td class="number">{count(failed)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  )
}
