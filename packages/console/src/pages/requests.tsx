// The requests of the last minutes: who asks what, how slow the answers are, and which errors they have.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { ago, bytes, count, millis } from '../format.ts'
import { Scroll } from '../parts/scroll.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'

const everyMs = 2_000
const spans = [1, 5, 10] as const

type Row = Awaited<ReturnType<typeof call<'listRequests'>>>['requests'][number]

export function Requests(): JSX.Element {
  const [minutes, setMinutes] = useState<number>(5)
  const shown = usePolled(`requests ${minutes}`, (signal) => call('listRequests', { query: { minutes: String(minutes) }, signal }), everyMs)
  return (
    <>
      <div class="toolbar">
        <label>
          Time
          <select value={minutes} onChange={({ currentTarget }) => setMinutes(Number(currentTarget.value))}>
            {spans.map((span) => (
              <option key={span} value={span}>
                {span === 1 ? 'last minute' : `last ${span} minutes`}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Shown polled={shown} what="the requests">
        {({ requests }) =>
          requests.length === 0 ? (
            <Empty title="No Kafka client has asked anything">
              <p>The requests of every client that connects appear here: by client id and by kind of request.</p>
            </Empty>
          ) : (
            <>
              <Errors requests={requests} />
              <section>
                <h2>Requests</h2>
                <p class="note">
                  The most frequent are first. A Fetch waits for records, and a JoinGroup for members: that is part of their time.
                </p>
                <RequestTable requests={requests} />
              </section>
            </>
          )
        }
      </Shown>
    </>
  )
}

function RequestTable({ requests }: { readonly requests: readonly Row[] }): JSX.Element {
  return (
    <Scroll label="Requests">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Client</th>
            <th scope="col">Request</th>
            <th scope="col" class="number">
              Count
            </th>
            <th scope="col" class="number">
              Median
            </th>
            <th scope="col" class="number">
              99 %
            </th>
            <th scope="col" class="number">
              Slowest
            </th>
            <th scope="col" class="number">
              In
            </th>
            <th scope="col" class="number">
              Out
            </th>
            <th scope="col" class="number">
              Errors
            </th>
          </tr>
        </thead>
        <tbody>
          {requests.map((row) => (
            <tr key={`${row.others} ${row.clientId} ${row.api}`}>
              <td>{clientOf(row)}</td>
              <td>{row.api}</td>
              <td class="number">{count(row.requests)}</td>
              <td class="number">{atMost(row.p50Ms)}</td>
              <td class="number">{atMost(row.p99Ms)}</td>
              <td class="number">{millis(row.maxMs)}</td>
              <td class="number">{bytes(row.bytesIn)}</td>
              <td class="number">{bytes(row.bytesOut)}</td>
              <td class="number">{count(row.errors.reduce((sum, error) => sum + error.count, 0))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function Errors({ requests }: { readonly requests: readonly Row[] }): JSX.Element | null {
  const all = requests
    .flatMap((row) => row.errors.map((error) => ({ row, ...error })))
    .toSorted((one, other) => Date.parse(other.lastAt) - Date.parse(one.lastAt))
  if (all.length === 0) return null
  return (
    <section>
      <h2>Errors in the answers</h2>
      <p class="note">Clients expect some of them, such as a rebalance, and try again. The newest are first.</p>
      <Scroll label="Errors">
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Error</th>
              <th scope="col" class="number">
                Count
              </th>
              <th scope="col">Client</th>
              <th scope="col">Request</th>
              <th scope="col">Reason</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {all.map(({ row, error, count: times, subject, message, lastAt }) => (
              <tr key={`${row.others} ${row.clientId} ${row.api} ${error}`}>
                <td class="code">{error}</td>
                <td class="number">{count(times)}</td>
                <td>{clientOf(row)}</td>
                <td>{row.api}</td>
                <td class="text">{[subject, message].filter((part) => part !== null && part !== '').join(': ') || '–'}</td>
                <td>{ago(Date.parse(lastAt), Date.now())}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  )
}

function clientOf({ clientId, others }: Row): string {
  if (others) return 'all other clients'
  return clientId === null || clientId === '' ? 'without a client id' : clientId
}

/** Durations are counted in intervals, so a quantile is known by its upper bound. */
function atMost(ms: number | null): string {
  return ms === null ? '> 30 s' : `≤ ${millis(ms)}`
}
