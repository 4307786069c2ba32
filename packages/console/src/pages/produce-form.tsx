// The form that produces records: key, value, headers, partition, and how many.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { plural } from '../format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/states.tsx'

interface ProduceFormProps {
  readonly topic: string
  readonly partitionCount: number
  readonly onClose: () => void
}

interface Draft {
  readonly key: string
  readonly value: string
  readonly isTombstone: boolean
  readonly headers: readonly { readonly key: string; readonly value: string }[]
  /** Empty: the key decides. */
  readonly partition: string
  readonly times: number
}

const blank: Draft = { key: '', value: '', isTombstone: false, headers: [], partition: '', times: 1 }
const mostTimes = 1_000
/** Longer lists of partitions are typed. */
const listedPartitions = 200

export function ProduceForm({ topic, partitionCount, onClose }: ProduceFormProps): JSX.Element {
  const [draft, setDraft] = useState<Draft>(blank)
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown; readonly done?: string }>({ busy: false })
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part })
  const produce = async (): Promise<void> => {
    setState({ busy: true })
    try {
      const { records } = await call('produceLines', { params: { topic }, body: linesOf(draft) })
      setState({ busy: false, done: doneText(records) })
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  const changeHeader = (index: number, part: Partial<Draft['headers'][number]>): void =>
    change({ headers: draft.headers.map((header, at) => (at === index ? { ...header, ...part } : header)) })
  return (
    <Dialog title={`Produce to ${topic}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void produce()
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit()
        }}
      >
        <label>
          Key <span class="note">none if empty</span>
          <input value={draft.key} autocomplete="off" spellcheck={false} onInput={(event) => change({ key: event.currentTarget.value })} />
        </label>
        <label>
          Value
          <textarea
            rows={6}
            spellcheck={false}
            disabled={draft.isTombstone}
            value={draft.value}
            onInput={(event) => change({ value: event.currentTarget.value })}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={draft.isTombstone} onInput={(event) => change({ isTombstone: event.currentTarget.checked })} />
          Tombstone: the value is null
        </label>
        {draft.headers.map((header, index) => (
          <div class="row" key={index}>
            <label>
              Header
              <input
                required
                value={header.key}
                spellcheck={false}
                onInput={(event) => changeHeader(index, { key: event.currentTarget.value })}
              />
            </label>
            <label>
              Its value
              <input
                value={header.value}
                spellcheck={false}
                onInput={(event) => changeHeader(index, { value: event.currentTarget.value })}
              />
            </label>
            <button
              type="button"
              aria-label={`Remove header ${header.key}`}
              onClick={() => change({ headers: draft.headers.filter((_, at) => at !== index) })}
            >
              ✕
            </button>
          </div>
        ))}
        <div class="row">
          <label>
            Partition
            {partitionCount <= listedPartitions ? (
              <select value={draft.partition} onInput={(event) => change({ partition: event.currentTarget.value })}>
                <option value="">by key</option>
                {Array.from({ length: partitionCount }, (_, partition) => (
                  <option key={partition} value={partition}>
                    {partition}
                  </option>
                ))}
              </select>
            ) : (
              <input
                type="number"
                min={0}
                max={partitionCount - 1}
                placeholder="by key"
                value={draft.partition}
                onInput={(event) => change({ partition: event.currentTarget.value })}
              />
            )}
          </label>
          <label>
            Times
            <input
              type="number"
              required
              min={1}
              max={mostTimes}
              value={draft.times}
              onInput={(event) => change({ times: event.currentTarget.valueAsNumber })}
            />
          </label>
        </div>
        {draft.times > 1 && (
          <p class="note">
            <code>{'{{n}}'}</code> in the key or the value becomes 1, 2, 3 and so on.
          </p>
        )}
        {state.error !== undefined && <Failure error={state.error} />}
        <p role="status">{state.done}</p>
        <footer>
          <button type="button" onClick={() => change({ headers: [...draft.headers, { key: '', value: '' }] })}>
            Add header
          </button>
          <button type="submit" class="primary" disabled={state.busy}>
            {state.busy ? 'Producing…' : 'Produce'}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

/** One JSON object per record. */
function linesOf({ key, value, isTombstone, headers, partition, times }: Draft): string {
  const numbered = (text: string, at: number): string => (times > 1 ? text.replaceAll('{{n}}', String(at)) : text)
  return Array.from({ length: times }, (_, index) =>
    JSON.stringify({
      key: key === '' ? null : numbered(key, index + 1),
      value: isTombstone ? null : numbered(value, index + 1),
      headers,
      ...(partition !== '' && { partition: Number(partition) }),
    }),
  ).join('\n')
}

function doneText(records: readonly { readonly partition: number; readonly offset?: number; readonly message?: string }[]): string {
  const stored = records.filter(({ offset }) => offset !== undefined)
  const [first] = stored
  const rejected = records.find(({ message }) => message !== undefined)
  const tail =
    rejected === undefined ? '' : ` ${plural(records.length - stored.length, 'record was', 'records were')} rejected: ${rejected.message}`
  if (records.length === 1 && first !== undefined) return `Stored in partition ${first.partition} at offset ${first.offset}.`
  return `${plural(stored.length, 'record')} stored.${tail}`
}
