// The messages of a topic: the newest first and live, or what a search finds, or a partition from an offset on.
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { followTopic, type TailState } from '../api/tail.ts'
import { count, plural } from '../format.ts'
import { Empty, Failure, Loading } from '../parts/states.tsx'
import { useWatched } from '../parts/use-watched.ts'
import { placeOf, type RecordJson } from '../record.ts'
import { everything, isOpenEnded, type Search } from '../search.ts'
import { ProduceForm } from './produce-form.tsx'
import { RecordRow } from './record-row.tsx'
import { SearchForm } from './search-form.tsx'

const pageSize = 50
/** The oldest ones go when a live tail brings more. */
const mostRecords = 1_000

interface Found {
  readonly records: readonly RecordJson[]
  /** Where the next page begins; undefined if there is none. */
  readonly next: string | undefined
  readonly unreadable: readonly { readonly partition: number; readonly from: number; readonly to: number; readonly message: string }[]
  /** The records that were looked at, for a search that found nothing yet. */
  readonly scanned: number
}

const nothing: Found = { records: [], next: undefined, unreadable: [], scanned: 0 }

export function Messages({ topic, partitionCount }: { readonly topic: string; readonly partitionCount: number }): JSX.Element {
  const [search, setSearch] = useState<Search>(everything)
  const [live, setLive] = useState(true)
  const [producing, setProducing] = useState(false)
  const watched = useWatched()
  const { found, busy, error, tail, more } = useMessages(topic, search, live && watched && isOpenEnded(search))
  const isSearch = search.text !== '' || search.key !== '' || search.since !== '' || search.until !== '' || search.at !== undefined
  return (
    <>
      <SearchForm
        search={search}
        partitionCount={partitionCount}
        onSearch={setSearch}
        live={live}
        tail={tail}
        onLive={setLive}
        onProduce={() => setProducing(true)}
      />
      {producing && <ProduceForm topic={topic} partitionCount={partitionCount} onClose={() => setProducing(false)} />}
      {typeof tail === 'object' && live && <p class="failure">The live tail ended: {tail.ended}</p>}
      {error !== undefined && <Failure error={error} />}
      {found.unreadable.map(({ partition, from, to, message }) => (
        <p class="failure" key={`${partition}:${from}`}>
          Partition {partition}, offsets {from} to {to} cannot be decoded: {message}
        </p>
      ))}
      {found.records.length === 0 && busy && <Loading what="messages" />}
      {found.records.length === 0 && !busy && error === undefined && found.next === undefined && (
        <Empty title={isSearch ? 'Nothing found' : 'No message yet'}>
          {isSearch ? (
            <>
              <p>{search.at === undefined ? 'No record matches.' : 'There is no record at this offset or after it.'}</p>
              <button type="button" onClick={() => setSearch(everything)}>
                Show all messages
              </button>
            </>
          ) : (
            <>
              <p>A message that is produced appears here at once.</p>
              <button type="button" class="primary" onClick={() => setProducing(true)}>
                Produce a message
              </button>
            </>
          )}
        </Empty>
      )}
      {found.records.length > 0 && (
        <div class="records-head" aria-hidden="true">
          <span>Time</span>
          <span>Partition:offset</span>
          <span>Key</span>
          <span>Value</span>
        </div>
      )}
      {found.records.length > 0 && (
        <ol class="records" aria-label="Messages">
          {found.records.map((record) => (
            <RecordRow key={placeOf(record)} topic={topic} record={record} />
          ))}
        </ol>
      )}
      <div class="more">
        {found.next !== undefined && (
          <button type="button" disabled={busy} onClick={more}>
            {busy ? 'Loading…' : search.at !== undefined ? 'Show newer' : isSearch ? 'Search further back' : 'Show older'}
          </button>
        )}
        {found.records.length > 0 && found.next === undefined && !busy && (
          <p class="note">
            {plural(found.records.length, 'message')}
            {isSearch ? ' found' : ''}. {search.at === undefined ? 'There are no older ones.' : 'This is the end of the partition.'}
          </p>
        )}
        {found.next !== undefined && isSearch && search.at === undefined && (
          <p class="note">Searched {count(found.scanned)} offsets so far.</p>
        )}
      </div>
    </>
  )
}

interface MessagesState {
  readonly found: Found
  readonly busy: boolean
  readonly error: unknown
  readonly tail: TailState | undefined
  readonly more: () => void
}

/** Follows the topic from the moment at which the tail is open, then loads what was there before: so nothing in between is missed. */
function useMessages(topic: string, search: Search, live: boolean): MessagesState {
  const [found, setFound] = useState<Found>(nothing)
  const [busy, setBusy] = useState(true)
  const [error, setError] = useState<unknown>(undefined)
  const [tail, setTail] = useState<TailState | undefined>(undefined)
  const run = useRef(new AbortController())
  const load = async (next: string | undefined, signal: AbortSignal): Promise<void> => {
    setBusy(true)
    try {
      const page = await pageOf(topic, search, next, signal)
      if (signal.aborted) return
      setFound((before) => joined(before, page))
      setError(undefined)
    } catch (failure) {
      if (signal.aborted) return
      setError(failure)
    }
    setBusy(false)
  }
  useEffect(() => {
    const ended = new AbortController()
    run.current = ended
    setFound(nothing)
    setBusy(true)
    setError(undefined)
    setTail(undefined)
    if (!live) {
      void load(undefined, ended.signal)
      return () => ended.abort()
    }
    let isLoaded = false
    const followed = followTopic(
      { topic, key: search.key, text: search.text },
      {
        records: (records) => setFound((before) => withNew(before, records)),
        state: (state) => {
          setTail(state)
          if (state === 'connecting' || isLoaded) return
          isLoaded = true
          void load(undefined, ended.signal)
        },
      },
    )
    return () => {
      ended.abort()
      followed.close()
    }
  }, [topic, search, live])
  return { found, busy, error, tail, more: () => void load(found.next, run.current.signal) }
}

async function pageOf(topic: string, search: Search, next: string | undefined, signal: AbortSignal): Promise<Found> {
  const { text, key, since, until, at } = search
  if (at !== undefined) {
    const from = next === undefined ? at.offset : Number(next)
    const read = await call('readMessages', {
      params: { topic, partition: at.partition },
      query: { offset: String(from), limit: pageSize },
      signal,
    })
    return {
      records: read.records,
      next: read.next < read.highWatermark ? String(read.next) : undefined,
      unreadable: read.unreadable ?? [],
      scanned: read.next - from,
    }
  }
  const answer = await call('queryMessages', {
    params: { topic },
    query: { order: 'desc', limit: pageSize, text, key, since, until, cursor: next },
    signal,
  })
  return {
    records: answer.records,
    next: answer.cursor ?? undefined,
    unreadable: answer.unreadable ?? [],
    scanned: answer.scanned.reduce((all, { from, to }) => all + to - from, 0),
  }
}

/** A record that the tail brought first is not shown twice. */
function joined(before: Found, page: Found): Found {
  const known = new Set(before.records.map(placeOf))
  return {
    records: [...before.records, ...page.records.filter((record) => !known.has(placeOf(record)))],
    next: page.next,
    unreadable: [...before.unreadable, ...page.unreadable],
    scanned: before.scanned + page.scanned,
  }
}

function withNew(before: Found, records: readonly RecordJson[]): Found {
  const known = new Set(before.records.map(placeOf))
  const added = records.filter((record) => !known.has(placeOf(record))).reverse()
  return { ...before, records: [...added, ...before.records].slice(0, Math.max(mostRecords, before.records.length)) }
}
