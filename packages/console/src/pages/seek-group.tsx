// The move of a group's offsets: where to, a preview, then the move.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import type { Operations } from '../api/operations.ts'
import { count, plural } from '../format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Scroll } from '../parts/scroll.tsx'
import { Failure } from '../parts/states.tsx'

type Body = Operations['seekGroup']['body']
type Sought = Operations['seekGroup']['answer']

type Where = 'start' | 'end' | 'time' | 'offset' | 'by'

const places: readonly (readonly [Where, string])[] = [
  ['start', 'the start: read everything again'],
  ['end', 'the end: skip everything'],
  ['time', 'a time'],
  ['offset', 'an offset'],
  ['by', 'some records back or forward'],
]

export function SeekGroup({ group, onClose }: { readonly group: string; readonly onClose: () => void }): JSX.Element {
  const [where, setWhere] = useState<Where>('start')
  const [amount, setAmount] = useState(0)
  const [time, setTime] = useState('')
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown; readonly sought?: Sought }>({ busy: false })
  const { sought } = state
  const send = async (apply: boolean): Promise<void> => {
    setState({ busy: true })
    try {
      setState({ busy: false, sought: await call('seekGroup', { params: { group }, body: { ...bodyOf(where, { amount, time }), apply } }) })
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <Dialog title={`Move the offsets of ${group}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void send(sought !== undefined)
        }}
      >
        {sought === undefined ? (
          <>
            <label>
              To
              <select value={where} onInput={(event) => setWhere(event.currentTarget.value as Where)}>
                {places.map(([name, text]) => (
                  <option key={name} value={name}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
            {where === 'time' && (
              <label>
                The first record from this time on
                <input type="datetime-local" required step={1} value={time} onInput={(event) => setTime(event.currentTarget.value)} />
              </label>
            )}
            {(where === 'offset' || where === 'by') && (
              <label>
                {where === 'offset' ? 'Offset in every partition' : 'Records; a negative number goes back'}
                <input
                  type="number"
                  required
                  {...(where === 'offset' && { min: 0 })}
                  value={amount}
                  onInput={(event) => setAmount(event.currentTarget.valueAsNumber)}
                />
              </label>
            )}
          </>
        ) : (
          <Preview sought={sought} />
        )}
        {state.error !== undefined && <Failure error={state.error} />}
        <footer>
          {sought?.applied === true ? (
            <button type="button" class="primary" onClick={onClose}>
              Done
            </button>
          ) : (
            <>
              {sought !== undefined && (
                <button type="button" disabled={state.busy} onClick={() => setState({ busy: false })}>
                  Back
                </button>
              )}
              <button type="submit" class="primary" disabled={state.busy || (sought !== undefined && !movesAny(sought))}>
                {sought === undefined ? 'Preview' : 'Move the offsets'}
              </button>
            </>
          )}
        </footer>
      </form>
    </Dialog>
  )
}

function bodyOf(where: Where, { amount, time }: { readonly amount: number; readonly time: string }): Body {
  switch (where) {
    case 'start':
    case 'end':
      return { to: where }
    case 'time':
      return { time: new Date(time).toISOString() }
    case 'offset':
      return { offset: amount }
    case 'by':
      return { by: amount }
  }
}

function movesAny({ partitions }: Sought): boolean {
  return partitions.some(({ from, to }) => from !== to)
}

function statusText(sought: Sought): string {
  if (sought.applied) return `The offsets of ${plural(sought.partitions.length, 'partition')} were moved.`
  return movesAny(sought)
    ? 'Nothing is moved yet. This is what would change:'
    : 'The offsets are there already, so there is nothing to move.'
}

function Preview({ sought }: { readonly sought: Sought }): JSX.Element {
  const { partitions } = sought
  if (partitions.length === 0) return <p>The group has no committed offset, so there is nothing to move.</p>
  return (
    <>
      <p role="status">{statusText(sought)}</p>
      <Scroll label="Offsets" short>
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Partition</th>
              <th scope="col" class="number">
                Now
              </th>
              <th scope="col" class="number">
                Then
              </th>
              <th scope="col" class="number">
                Lag then
              </th>
            </tr>
          </thead>
          <tbody>
            {partitions.map(({ topic, partition, from, to, lag }) => (
              <tr key={`${topic}:${partition}`}>
                <td>
                  {topic} {partition}
                </td>
                <td class="number">{from === null ? '–' : count(from)}</td>
                <td class="number">{count(to)}</td>
                <td class="number">{count(lag)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  )
}
