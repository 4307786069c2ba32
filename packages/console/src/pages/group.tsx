// One group: its members with their partitions, its offsets and lag, and the move of its offsets.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call, ProblemError } from '../api/client.ts'
import { count, plural } from '../format.ts'
import { Chart, chartLength, Trend } from '../parts/chart.tsx'
import { Scroll } from '../parts/scroll.tsx'
import { Empty, Failure, Loading } from '../parts/states.tsx'
import { useHistories, useHistory } from '../parts/use-history.ts'
import { usePolled } from '../parts/use-polled.ts'
import { topicAddress } from '../route.ts'
import { DeleteGroup } from './delete-group.tsx'
import { SeekGroup } from './seek-group.tsx'

const everyMs = 2_000

type Group = Awaited<ReturnType<typeof call<'showGroup'>>>

export function GroupPage({ group }: { readonly group: string }): JSX.Element {
  const shown = usePolled(`group ${group}`, (signal) => call('showGroup', { params: { group }, signal }), everyMs)
  const [seeking, setSeeking] = useState(false)
  const [deleting, setDeleting] = useState(false)
  const lags = useHistory(shown.answer, ({ lag }) => lag, chartLength)
  const lagsOf = useHistories(shown.answer, lagByPartition, chartLength)
  const answer = shown.answer
  if (shown.error instanceof ProblemError && shown.error.problem.error_code === 404)
    return (
      <Empty isPage title={`There is no group ${group}`}>
        <p>
          <a href="#/groups">All groups</a>
        </p>
      </Empty>
    )
  if (answer === undefined) return shown.error === undefined ? <Loading what="the group" /> : <Failure error={shown.error} />
  const { state, members, partitions, lag, protocol, generation } = answer
  const whyNot = members.length > 0 ? 'To move its offsets or delete the group, stop its consumers first.' : undefined
  return (
    <>
      <header class="title">
        <div>
          <h1>{group}</h1>
          <p class="note">
            <span class={`tag ${state === 'Stable' ? 'good' : ''}`}>{state}</span> {plural(members.length, 'member')}, generation{' '}
            {count(generation)}
            {protocol !== null && `, assignor ${protocol}`}
          </p>
        </div>
        <div class="buttons">
          <button type="button" disabled={members.length > 0} title={whyNot} onClick={() => setSeeking(true)}>
            Move offsets
          </button>
          <button type="button" class="danger" disabled={members.length > 0} title={whyNot} onClick={() => setDeleting(true)}>
            Delete group
          </button>
        </div>
      </header>
      {whyNot !== undefined && <p class="note">{whyNot}</p>}
      {deleting && <DeleteGroup group={group} onClose={() => setDeleting(false)} />}
      {seeking && (
        <SeekGroup
          group={group}
          onClose={() => {
            setSeeking(false)
            shown.refresh()
          }}
        />
      )}
      <section class="charts" aria-label="Lag">
        <Chart label="Lag since this page was opened" values={lags} format={count} unit={lag === 1 ? 'record' : 'records'} />
      </section>
      <section>
        <h2>Members</h2>
        {members.length === 0 ? (
          <p class="note">No consumer is connected. The committed offsets stay until they expire.</p>
        ) : (
          <ul class="cards">
            {members.map(({ member, clientId, host, instance, assignment }) => (
              <li key={member}>
                <strong>{clientId}</strong> <span class="note">{host}</span>
                <p class="note">{instance === null ? member : `${instance} (static member)`}</p>
                <p>
                  {assignment === null || assignment.length === 0
                    ? 'No partition'
                    : assignment.map(({ topic, partitions: of }) => `${topic}: ${of.join(', ')}`).join('; ')}
                </p>
              </li>
            ))}
          </ul>
        )}
      </section>
      <section>
        <h2>Partitions</h2>
        {partitions.length === 0 ? (
          <p class="note">The group has committed nothing and reads nothing.</p>
        ) : (
          <Scroll label="Partitions">
            <table class="list">
              <thead>
                <tr>
                  <th scope="col">Topic</th>
                  <th scope="col" class="number">
                    Partition
                  </th>
                  <th scope="col" class="number">
                    Committed
                  </th>
                  <th scope="col" class="number">
                    End
                  </th>
                  <th scope="col" class="number">
                    Lag
                  </th>
                  <th scope="col" class="wide">
                    <span class="unseen">The lag since the page was opened</span>
                  </th>
                  <th scope="col" class="wide">
                    Member
                  </th>
                </tr>
              </thead>
              <tbody>
                {partitions.map(({ topic, partition, offset, end, lag: behind, member }) => (
                  <tr key={`${topic}:${partition}`}>
                    <td>
                      <a href={topicAddress(topic)}>{topic}</a>
                    </td>
                    <td class="number">{partition}</td>
                    <td class="number">{offset === null ? '–' : count(offset)}</td>
                    <td class="number">{count(end)}</td>
                    <td class={behind > 0 ? 'number strong' : 'number'}>{count(behind)}</td>
                    <td class="wide trend">
                      <Trend values={lagsOf.get(`${topic}:${partition}`) ?? []} />
                    </td>
                    <td class="wide">{members.find((one) => one.member === member)?.clientId ?? '–'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        )}
      </section>
    </>
  )
}

function lagByPartition({ partitions }: Group): ReadonlyMap<string, number> {
  return new Map(partitions.map(({ topic, partition, lag }) => [`${topic}:${partition}`, lag]))
}
