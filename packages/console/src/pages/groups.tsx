// The groups with their lag.
import type { JSX } from 'preact'
import { call, ProblemError } from '../api/client.ts'
import { count } from '../format.ts'
import { Scroll } from '../parts/scroll.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'
import { groupAddress } from '../route.ts'

const everyMs = 4_000
/** Each group's lag is a request. */
const describedGroups = 50

interface Groups {
  readonly groups: Awaited<ReturnType<typeof call<'listGroups'>>>['groups']
  /** Group → its description, for the first ones. */
  readonly described: ReadonlyMap<string, Awaited<ReturnType<typeof call<'showGroup'>>>>
}

export async function loadGroups(signal: AbortSignal): Promise<Groups> {
  const { groups } = await call('listGroups', { signal })
  const described = new Map<string, Awaited<ReturnType<typeof call<'showGroup'>>>>()
  await Promise.all(
    groups.slice(0, describedGroups).map(async ({ group }) => {
      try {
        described.set(group, await call('showGroup', { params: { group }, signal }))
      } catch (error) {
        // Deleted since it was listed.
        if (!(error instanceof ProblemError) || error.problem.error_code !== 404) throw error
      }
    }),
  )
  return { groups, described }
}

export function GroupsPage(): JSX.Element {
  const groups = usePolled('groups', loadGroups, everyMs)
  return (
    <>
      <header class="title">
        <h1>Groups</h1>
      </header>
      <Shown polled={groups} what="the groups">
        {(found) =>
          found.groups.length === 0 ? (
            <Empty title="No group yet">
              <p>A consumer with a group id appears here with its members, its offsets and its lag.</p>
            </Empty>
          ) : (
            <section>
              <GroupTable {...found} />
            </section>
          )
        }
      </Shown>
    </>
  )
}

export function GroupTable({ groups, described }: Groups): JSX.Element {
  return (
    <Scroll label="Groups">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Members
            </th>
            <th scope="col" class="number">
              Lag
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ group, state }) => {
            const more = described.get(group)
            return (
              <tr key={group}>
                <td>
                  <a href={groupAddress(group)}>{group}</a>
                </td>
                <td>
                  <span class={`tag ${state === 'Stable' ? 'good' : ''}`}>{state}</span>
                </td>
                <td class="number">{more === undefined ? '–' : count(more.members.length)}</td>
                <td class="number">{more === undefined ? '–' : count(more.lag)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Scroll>
  )
}
