// The jobs that look after what is stored, and what a sweep of the store would remove.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { ago, bytes, plural, until } from '../format.ts'
import { Scroll } from '../parts/scroll.tsx'
import { Failure, Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'

const everyMs = 2_000

export type UpkeepJob = Awaited<ReturnType<typeof call<'listUpkeep'>>>['jobs'][number]
type Report = Awaited<ReturnType<typeof call<'sweepStore'>>>

export function Upkeep(): JSX.Element {
  const shown = usePolled('upkeep', (signal) => call('listUpkeep', { signal }), everyMs)
  return (
    <>
      <Shown polled={shown} what="the jobs">
        {({ jobs }) => (
          <section>
            <h2>Jobs</h2>
            <p class="note">They keep the store and the database as small as the data, beside the clients.</p>
            <ul class="cards jobs">
              {jobs.map((job) => (
                <JobCard key={job.job} job={job} />
              ))}
            </ul>
          </section>
        )}
      </Shown>
      <SweepCheck />
    </>
  )
}

function JobCard({
  job: { job, about, elsewhere, running, lastPass, nextPassAt, progress, backlog, problem },
}: {
  readonly job: UpkeepJob
}): JSX.Element {
  const left = Object.entries(backlog).filter(([, amount]) => amount > 0)
  return (
    <li>
      <strong>{job}</strong>{' '}
      <span class={`tag ${problem !== null ? 'bad' : running ? 'good' : ''}`}>{stateOf({ elsewhere, running, problem })}</span>
      <p>{about}</p>
      {problem !== null && <p class="failure">{problem}</p>}
      <p class="note">
        {left.length > 0
          ? `For a later pass: ${left.map(([unit, amount]) => amountText(unit, amount)).join(', ')}`
          : lastPass === null
            ? 'Has not looked yet'
            : 'Nothing is left to do'}
        {progress !== null && `. ${progress}`}
      </p>
      <p class="note">
        {lastPass === null
          ? 'No pass since the start of the server'
          : `Last pass ${ago(Date.parse(lastPass.endedAt), Date.now())}, took ${tookText(lastPass)}`}
        {nextPassAt !== null && !elsewhere && `; next pass ${until(Date.parse(nextPassAt), Date.now())}`}
      </p>
    </li>
  )
}

function stateOf({ elsewhere, running, problem }: Pick<UpkeepJob, 'elsewhere' | 'running' | 'problem'>): string {
  if (elsewhere) return 'at another agent'
  if (running) return 'running'
  return problem === null ? 'well' : 'has a problem'
}

function tookText({ beganAt, endedAt }: NonNullable<UpkeepJob['lastPass']>): string {
  const ms = Date.parse(endedAt) - Date.parse(beganAt)
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** `12 segments`, `1 segment`, `3 MiB`. */
export function amountText(unit: string, amount: number): string {
  return /bytes$/i.test(unit) ? bytes(amount) : plural(amount, unit.replace(/s$/, ''), unit)
}

function SweepCheck(): JSX.Element {
  const [state, setState] = useState<{ readonly report?: Report; readonly error?: unknown; readonly checking: boolean }>({
    checking: false,
  })
  const check = async (): Promise<void> => {
    setState({ checking: true })
    try {
      setState({ report: await call('sweepStore', { body: { dryRun: true } }), checking: false })
    } catch (error) {
      setState({ error, checking: false })
    }
  }
  const { report, error, checking } = state
  return (
    <section>
      <h2>What a sweep would remove</h2>
      <p>Objects that no commit has named and none ever will, such as those of a crash. This lists the whole store, and removes nothing.</p>
      <button type="button" disabled={checking} onClick={() => void check()}>
        {checking ? 'Lists the store…' : 'Check the store'}
      </button>
      <div aria-live="polite">
        {error !== undefined && <Failure error={error} />}
        {report !== undefined && <SweepReport report={report} />}
      </div>
    </section>
  )
}

function SweepReport({ report: { stored, orphans, foreignKeys, missing, halted, deletions } }: { readonly report: Report }): JSX.Element {
  return (
    <>
      <p class="result">
        {plural(stored.objects, 'object')} with {bytes(stored.bytes)} {stored.objects === 1 ? 'is' : 'are'} stored.{' '}
        {orphans.objects === 0
          ? 'A sweep would remove none of them.'
          : `A sweep would remove ${plural(orphans.objects, 'object')} with ${bytes(orphans.bytes)}.`}
        {foreignKeys > 0 &&
          ` ${plural(foreignKeys, 'key')} in the store ${foreignKeys === 1 ? 'is' : 'are'} not of this server, and would stay.`}
      </p>
      {missing !== null && missing.objects > 0 && (
        <p class="failure">
          The store does not have {plural(missing.objects, 'object')} that segments name, such as {missing.keys[0]}: their records cannot be
          read.
        </p>
      )}
      {halted !== null && <p class="failure">A sweep would halt: {halted}</p>}
      {deletions.length > 0 && (
        <Scroll label="Objects that a sweep would remove">
          <table class="list">
            <thead>
              <tr>
                <th scope="col">Object</th>
                <th scope="col" class="number">
                  Size
                </th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {deletions.map(({ object, bytes: size, why }) => (
                <tr key={object}>
                  <td>
                    <code>{object}</code>
                  </td>
                  <td class="number">{bytes(size)}</td>
                  <td class="text">{why}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  )
}
