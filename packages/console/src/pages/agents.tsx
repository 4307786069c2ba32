// The agents of the cluster, and who owns how many of its slots.
import type { JSX } from 'preact'
import { call } from '../api/client.ts'
import { count, plural } from '../format.ts'
import { Scroll } from '../parts/scroll.tsx'
import { Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'

const everyMs = 2_000

export function Agents(): JSX.Element {
  const shown = usePolled(
    'agents',
    async (signal) => {
      const [cluster, { agents }] = await Promise.all([call('showCluster', { signal }), call('listAgents', { signal })])
      return { cluster, agents }
    },
    everyMs,
  )
  return (
    <Shown polled={shown} what="the agents">
      {({ cluster, agents }) => (
        <section>
          <h2>{plural(agents.length, 'agent')}</h2>
          <p class="note">
            Cluster {cluster.clusterId}. Each partition and each group belongs to one of {count(cluster.slots)} slots; the agent that owns
            the slot is its leader or coordinator.
          </p>
          <Scroll label="Agents">
            <table class="list">
              <thead>
                <tr>
                  <th scope="col">Agent</th>
                  <th scope="col" class="number">
                    Broker id
                  </th>
                  <th scope="col">Kafka address</th>
                  <th scope="col">Rack</th>
                  <th scope="col" class="number">
                    Slots
                  </th>
                </tr>
              </thead>
              <tbody>
                {agents.map(({ agent, brokerId, kafka, rack, slots, answers }) => (
                  <tr key={brokerId}>
                    <td>
                      {agent} {answers && <span class="tag">shows this page</span>}
                    </td>
                    <td class="number">{brokerId}</td>
                    <td>
                      <code>{kafka}</code>
                    </td>
                    <td>{rack ?? '–'}</td>
                    <td class="number">{count(slots)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </section>
      )}
    </Shown>
  )
}
