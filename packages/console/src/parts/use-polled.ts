// Asks the server again and again while the page is visible, and keeps the last answer while the server is away.
import { useEffect, useRef, useState } from 'preact/hooks'
import { AwayError } from '../api/client.ts'

export interface Polled<Answer> {
  /** The last answer; undefined until the first one. */
  readonly answer: Answer | undefined
  /** Why the last attempt failed; undefined after a success. */
  readonly error: unknown
  /** Asks at once. */
  readonly refresh: () => void
}

/** `key`: a new key has none of the answers of the old one. `secondMs`: the time until it asks for the second time. */
export function usePolled<Answer>(
  key: string,
  load: (signal: AbortSignal) => Promise<Answer>,
  everyMs: number,
  { secondMs = everyMs }: { readonly secondMs?: number } = {},
): Polled<Answer> {
  const [state, setState] = useState<{ readonly key: string; readonly answer: Answer | undefined; readonly error: unknown }>({
    key,
    answer: undefined,
    error: undefined,
  })
  const latest = useRef(load)
  latest.current = load
  const again = useRef<() => void>(() => {})
  useEffect(() => {
    const ended = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let waitMs = secondMs
    const ask = async (): Promise<void> => {
      clearTimeout(timer)
      try {
        const answer = await latest.current(ended.signal)
        if (ended.signal.aborted) return
        setState({ key, answer, error: undefined })
        report(undefined)
      } catch (error) {
        if (ended.signal.aborted) return
        setState((before) => ({ key, answer: before.key === key ? before.answer : undefined, error }))
        report(error)
      }
      next()
    }
    const next = (): void => {
      timer = setTimeout(() => (document.hidden ? next() : void ask()), waitMs)
      waitMs = everyMs
    }
    again.current = () => void ask()
    void ask()
    return () => {
      ended.abort()
      clearTimeout(timer)
    }
  }, [key, everyMs, secondMs])
  const current = state.key === key
  return {
    answer: current ? state.answer : undefined,
    error: current ? state.error : undefined,
    refresh: () => again.current(),
  }
}

let isAway = false
const watchers = new Set<(away: boolean) => void>()

/** Every answer, or its absence, says whether the server is there. */
function report(error: unknown): void {
  const away = error instanceof AwayError
  if (away === isAway) return
  isAway = away
  for (const watcher of watchers) watcher(away)
}

/** Whether the server answered the last request. */
export function useAway(): boolean {
  const [away, setAway] = useState(isAway)
  useEffect(() => {
    watchers.add(setAway)
    return () => {
      watchers.delete(setAway)
    }
  }, [])
  return away
}
