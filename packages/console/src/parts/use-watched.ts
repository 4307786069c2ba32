// Whether somebody may be looking at the page: a tail of a hidden page would hold a connection, of which a browser opens only a few to one server.
import { useEffect, useState } from 'preact/hooks'

/** A short look at another tab changes nothing. */
const graceMs = 30_000

export function useWatched(): boolean {
  const [watched, setWatched] = useState(true)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const changed = (): void => {
      clearTimeout(timer)
      if (document.hidden) timer = setTimeout(() => setWatched(false), graceMs)
      else setWatched(true)
    }
    document.addEventListener('visibilitychange', changed)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', changed)
    }
  }, [])
  return watched
}
