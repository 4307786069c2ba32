// The server on the overview: its agents if there are several, and what its upkeep is doing; the pages of the server have the rest.
import type { JSX } from 'preact'
import { call } from '../api/client.ts'
import { plural } from '../format.ts'
import { Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'
import { serverAddress } from '../route.ts'
import { amountText, type UpkeepJob } from './upkeep.tsx'

const seldomMs = 8_000

type Agent = Awaited<ReturnType<typeof call<'listAgents'>>>['agents'][number]

export function OverviewServer(): JSX.Element {
  const server = usePolled(
    'server',
    async (signal) => {
      const [{ agents }, { jobs }] = await Promise.all([call('listAgents', { signal }), call('listUpkeep', { signal })])
      return { agents, jobs }
    },
    seldomMs,
  )
  return (
    <section>
      <h2>Server</h2>
      <Shown polled={server} what="the server">
        {({ agents, jobs }) => (
          <dl class="facts">
            {agents.length > 1 && (
              <div>
                <dt>
                  <a href={serverAddress('agents')}>Agents</a>
                </dt>
                <dd>{agents.map(agentText).join(', ')}</dd>
              </div>
            )}
            <div>
              <dt>
                <a href={serverAddress('upkeep')}>Upkeep</a>
              </dt>
              <dd>{upkeepText(jobs)}</dd>
            </div>
          </dl>
        )}
      </Shown>
    </section>
  )
}

function agentText({ agent, slots }: Agent): string {
  return `${agent} with ${plural(slots, 'slot')}`
}

/** Problems first, then what is under way or left to do. */
function upkeepText(jobs: readonly UpkeepJob[]): string {
  const troubled = jobs.filter(({ problem }) => problem !== null)
  if (troubled.length > 0) return troubled.map(({ job, problem }) => `${job} has a problem: ${problem ?? ''}`).join('; ')
  const running = jobs.filter((job) => job.running).map(({ job }) => job)
  const left = jobs.flatMap(({ job, backlog }) => {
    const amounts = Object.entries(backlog).flatMap(([unit, amount]) => (amount > 0 ? [amountText(unit, amount)] : []))
    return amounts.length === 0 ? [] : [`${job} has ${amounts.join(', ')} for a later pass`]
  })
  const sentences = [...(running.length > 0 ? [`${running.join(', ')} ${running.length === 1 ? 'is' : 'are'} running`] : []), ...left]
  return sentences.length === 0 ? 'All is well, and nothing is left to do.' : `All is well: ${sentences.join('; ')}.`
}
