// The live tail of a topic: server-sent events, which the browser resumes by itself after an interruption.
import type { RecordJson } from '../record.ts'
import { urlOf } from './client.ts'

export interface Tail {
  close(): void
}

export type TailState = 'connecting' | 'live' | { readonly ended: string }

/** `records` gets the records of one turn together: a fast topic would otherwise draw the page for each. */
export function followTopic(
  asked: { readonly topic: string; readonly key?: string; readonly text?: string },
  { records, state }: { readonly records: (records: readonly RecordJson[]) => void; readonly state: (state: TailState) => void },
): Tail {
  const { topic, key, text } = asked
  const source = new EventSource(urlOf('queryMessages', { params: { topic }, query: { key, text } }))
  let waiting: RecordJson[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const hand = (): void => {
    timer = undefined
    records(waiting)
    waiting = []
  }
  state('connecting')
  source.onopen = () => state('live')
  source.onmessage = ({ data }) => {
    waiting.push(JSON.parse(String(data)) as RecordJson)
    timer ??= setTimeout(hand, handEveryMs)
  }
  source.onerror = () => {
    if (source.readyState === EventSource.CONNECTING) state('connecting')
    else state({ ended: 'The server ended the live tail.' })
  }
  source.addEventListener('problem', ({ data }: MessageEvent<string>) => {
    source.close()
    state({ ended: (JSON.parse(data) as { readonly message: string }).message })
  })
  return {
    close: () => {
      clearTimeout(timer)
      source.close()
    },
  }
}

const handEveryMs = 100
