// What to show of a topic: a text, a key, a time, or a place; whether it is live; and the button to produce.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { TailState } from '../api/tail.ts'
import { inputTime } from '../format.ts'
import { everything, isOpenEnded, type Search } from '../search.ts'

export interface SearchFormProps {
  readonly search: Search
  readonly partitionCount: number
  readonly onSearch: (search: Search) => void
  readonly live: boolean
  readonly tail: TailState | undefined
  readonly onLive: (live: boolean) => void
  readonly onProduce: () => void
}

const times = [
  ['', 'any time'],
  ['5m', 'the last 5 minutes'],
  ['1h', 'the last hour'],
  ['24h', 'the last 24 hours'],
  ['7d', 'the last 7 days'],
] as const

/** The choice of the list that shows two more fields. */
const between = 'between'

/** A pause in typing begins a search. */
const pauseMs = 400

export function SearchForm({ search, partitionCount, onSearch, live, tail, onLive, onProduce }: SearchFormProps): JSX.Element {
  const [text, setText] = useState(search.text)
  const [key, setKey] = useState(search.key)
  const [choosing, setChoosing] = useState(false)
  // A choice of another field must not undo what was typed just before.
  const typed = { ...search, text, key, at: undefined }
  const isFollowed = live && isOpenEnded(search)
  useEffect(() => {
    setText(search.text)
    setKey(search.key)
    if (search === everything) setChoosing(false)
  }, [search])
  useEffect(() => {
    if (text === search.text && key === search.key) return
    const timer = setTimeout(() => onSearch(typed), pauseMs)
    return () => clearTimeout(timer)
  }, [text, key, search])
  return (
    <form
      class="toolbar"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        onSearch(typed)
      }}
    >
      <label class="grow">
        Text in key, value or header
        <input type="search" value={text} spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <label>
        Exact key
        <input type="search" value={key} spellcheck={false} onInput={(event) => setKey(event.currentTarget.value)} />
      </label>
      <label>
        Time
        <select
          value={choosing ? between : search.since}
          onInput={(event) => {
            const since = event.currentTarget.value
            setChoosing(since === between)
            if (since !== between) onSearch({ ...typed, since, until: '' })
          }}
        >
          {times.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
          <option value={between}>between times</option>
        </select>
      </label>
      {choosing && (
        <div class="between">
          <Instant name="From" value={search.since} onChoose={(since) => onSearch({ ...typed, since })} />
          <Instant name="Before" value={search.until} onChoose={(until) => onSearch({ ...typed, until })} />
        </div>
      )}
      <Place partitionCount={partitionCount} at={search.at} onGo={(at) => onSearch({ ...everything, at })} />
      <div class="actions">
        <button type="button" class="toggle" aria-pressed={isFollowed} disabled={!isOpenEnded(search)} onClick={() => onLive(!live)}>
          <span class={`dot ${live && tail === 'live' ? 'on' : ''}`} aria-hidden="true" />
          {isFollowed ? (tail === 'connecting' ? 'Connecting' : 'Live') : 'Paused'}
        </button>
        <button type="button" class="primary" onClick={onProduce}>
          Produce
        </button>
      </div>
    </form>
  )
}

interface InstantProps {
  readonly name: string
  readonly value: string
  /** Gets an ISO 8601 time in UTC, or an empty text. */
  readonly onChoose: (instant: string) => void
}

/** A time of the reader's own clock. */
function Instant({ name, value, onChoose }: InstantProps): JSX.Element {
  return (
    <label>
      {name}
      <input
        type="datetime-local"
        step={1}
        value={inputTime(value)}
        onChange={(event) => {
          const chosen = new Date(event.currentTarget.value)
          onChoose(Number.isNaN(chosen.getTime()) ? '' : chosen.toISOString())
        }}
      />
    </label>
  )
}

interface PlaceProps {
  readonly partitionCount: number
  readonly at: Search['at']
  readonly onGo: (at: Search['at']) => void
}

/** A jump to an offset of a partition. */
function Place({ partitionCount, at, onGo }: PlaceProps): JSX.Element {
  const [partition, setPartition] = useState(0)
  const [offset, setOffset] = useState(0)
  if (at !== undefined)
    return (
      <div class="place">
        <span>
          Partition {at.partition} from offset {at.offset}
        </span>
        <button type="button" onClick={() => onGo(undefined)}>
          Back to the newest
        </button>
      </div>
    )
  return (
    <details class="place">
      <summary>Go to offset</summary>
      <div>
        <label>
          Partition
          <input
            type="number"
            min={0}
            max={partitionCount - 1}
            value={partition}
            onInput={(event) => setPartition(event.currentTarget.valueAsNumber)}
          />
        </label>
        <label>
          Offset
          <input type="number" min={0} value={offset} onInput={(event) => setOffset(event.currentTarget.valueAsNumber)} />
        </label>
        <button type="button" onClick={() => onGo({ partition: partition || 0, offset: offset || 0 })}>
          Go
        </button>
      </div>
    </details>
  )
}
