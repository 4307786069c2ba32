// The life of the last objects: open, stored, waiting, committed; and the same again in slow motion.
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { type Phase, phases, rangeOf, type ShownFlush, spansOf, stateAt } from '../flush-phases.ts'
import { bytes, count, localTime, millis, plural } from '../format.ts'
import { Scroll } from '../parts/scroll.tsx'
import { Empty, Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'

const everyMs = 1_000
const shownFlushes = 40
/** The slow motion shows the last flushes, and takes about so long. */
const replayedFlushes = 12
const replayMs = 20_000

type Flush = Awaited<ReturnType<typeof call<'listFlushes'>>>['flushes'][number]

const names: Readonly<Record<Phase, string>> = {
  open: 'Open: it takes in batches',
  store: 'Stored: the FileStorage Service puts the object',
  wait: 'Waits for the commits before it',
  commit: 'Committed by the Metadata Service',
}

const triggers: Readonly<Record<string, string>> = {
  size: 'it was full',
  time: 'it was open for the longest time',
  idle: 'no more records were expected',
  waiting: 'its producers waited for it',
  drain: 'the server stopped',
}

export function Flushes(): JSX.Element {
  const shown = usePolled('flushes', (signal) => call('listFlushes', { signal }), everyMs)
  const [replayed, setReplayed] = useState<readonly Flush[] | undefined>(undefined)
  return (
    <Shown polled={shown} what="the flushes">
      {({ flushes }) =>
        flushes.length === 0 ? (
          <Empty title="Nothing was flushed yet">
            <p>
              The server gathers the records of all producers in one object, and stores it. Produce a message, and its object appears here.
            </p>
          </Empty>
        ) : (
          <section>
            <header class="title">
              <h2>{replayed === undefined ? 'The last flushes' : 'The last flushes in slow motion'}</h2>
              {replayed === undefined ? (
                <button type="button" onClick={() => setReplayed(flushes.slice(0, replayedFlushes))}>
                  Slow motion
                </button>
              ) : (
                <button type="button" onClick={() => setReplayed(undefined)}>
                  Back to now
                </button>
              )}
            </header>
            <p class="note">
              Records are acknowledged when the commit of their object is done. Objects are stored side by side, and committed in the order
              in which they were sealed: a newer one never overtakes one that is slow to store, but waits for it.
            </p>
            <Legend />
            {replayed === undefined ? <FlushTable flushes={flushes.slice(0, shownFlushes)} /> : <SlowMotion flushes={replayed} />}
          </section>
        )
      }
    </Shown>
  )
}

function Legend(): JSX.Element {
  return (
    <ul class="legend">
      {phases.map((phase) => (
        <li key={phase}>
          <span class={`swatch ${phase}`} aria-hidden="true" /> {names[phase]}
        </li>
      ))}
    </ul>
  )
}

function FlushTable({ flushes }: { readonly flushes: readonly Flush[] }): JSX.Element {
  const longestMs = Math.max(1, ...flushes.map(lengthOf))
  return (
    <Scroll label="Flushes">
      <table class="list flushes">
        <thead>
          <tr>
            <th scope="col">Flush</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">Its life</th>
            <th scope="col" class="number">
              Open
            </th>
            <th scope="col" class="number">
              Store
            </th>
            <th scope="col" class="number">
              Wait
            </th>
            <th scope="col" class="number">
              Commit
            </th>
            <th scope="col" class="wide">
              Sealed because
            </th>
          </tr>
        </thead>
        <tbody>
          {flushes.map((flush) => {
            const startMs = Date.parse(flush.sealedAt) - flush.openMs
            return (
              <tr key={flush.sequence}>
                <td title={localTime(Date.parse(flush.sealedAt))}>{count(flush.sequence)}</td>
                <td class="number" title={`${plural(flush.batches, 'batch', 'batches')} of ${plural(flush.partitions, 'partition')}`}>
                  {bytes(flush.sizeBytes)}
                </td>
                <td class="life">
                  {flush.failure === null ? (
                    <Bar flush={flush} atMs={startMs + lengthOf(flush)} fromMs={startMs} toMs={startMs + longestMs} />
                  ) : (
                    <span class="bad">Abandoned: {flush.failure}</span>
                  )}
                </td>
                <td class="number">{millis(flush.openMs)}</td>
                <td class="number">{orDash(flush.storeMs)}</td>
                <td class="number">{orDash(flush.waitMs)}</td>
                <td class="number">{orDash(flush.commitMs)}</td>
                <td class="wide">{triggers[flush.trigger] ?? flush.trigger}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </Scroll>
  )
}

const barWidth = 400

/** The numbers beside it say the same, so a screen reader leaves it out. */
function Bar({
  flush,
  atMs,
  fromMs,
  toMs,
}: {
  readonly flush: ShownFlush
  readonly atMs: number
  readonly fromMs: number
  readonly toMs: number
}): JSX.Element {
  const x = (ms: number): number => ((ms - fromMs) / Math.max(0.001, toMs - fromMs)) * barWidth
  return (
    <svg class="flush" viewBox={`0 0 ${barWidth} 12`} preserveAspectRatio="none" aria-hidden="true">
      {spansOf(flush, atMs).map(({ phase, ...span }) => (
        <rect key={phase} class={phase} x={x(span.fromMs)} y="0" width={Math.max(0, x(span.toMs) - x(span.fromMs))} height="12" />
      ))}
    </svg>
  )
}

/** One clock for all bars: they overlap as they did. */
function SlowMotion({ flushes }: { readonly flushes: readonly Flush[] }): JSX.Element {
  const { fromMs, toMs } = rangeOf(flushes)
  const factor = Math.max(1, replayMs / Math.max(1, toMs - fromMs))
  const [atMs, setAtMs] = useState(fromMs)
  useEffect(() => {
    const began = performance.now()
    let frame = 0
    const next = (): void => {
      const at = fromMs + (performance.now() - began) / factor
      setAtMs(Math.min(toMs, at))
      if (at < toMs) frame = requestAnimationFrame(next)
    }
    frame = requestAnimationFrame(next)
    return () => cancelAnimationFrame(frame)
  }, [fromMs, toMs, factor])
  return (
    <>
      <p class="note" role="status">
        {factor === 1 ? 'As fast as it was' : `${count(Math.round(factor))} times slower`}: {millis(atMs - fromMs)} of{' '}
        {millis(toMs - fromMs)}
      </p>
      <ol class="motion">
        {flushes.toReversed().map((flush) => (
          <li key={flush.sequence}>
            <span>
              Flush {count(flush.sequence)}, {bytes(flush.sizeBytes)}
            </span>
            <Bar flush={flush} atMs={atMs} fromMs={fromMs} toMs={toMs} />
            <span class="note">{words[stateAt(flush, atMs) ?? 'before']}</span>
          </li>
        ))}
      </ol>
    </>
  )
}

const words: Readonly<Record<NonNullable<ReturnType<typeof stateAt>> | 'before', string>> = {
  before: 'not there yet',
  open: 'takes in batches',
  store: 'is being stored',
  wait: 'waits for its turn',
  commit: 'is being committed',
  committed: 'is acknowledged',
  failed: 'is abandoned',
}

function lengthOf({ openMs, storeMs, waitMs, commitMs }: Flush): number {
  return openMs + (storeMs ?? 0) + (waitMs ?? 0) + (commitMs ?? 0)
}

function orDash(ms: number | null): string {
  return ms === null ? '–' : millis(ms)
}
