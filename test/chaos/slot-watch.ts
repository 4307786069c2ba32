// Records when slots change hands: it asks an agent that answers how many each agent owns, again and again.
import { setTimeout as delay } from 'node:timers/promises'
import type { ChaosCluster } from './agents.ts'
import type { ObserverLine } from './history.ts'

/** Settles when the signal aborts. Agents that do not answer are passed over. */
export async function watchSlots({ agents }: ChaosCluster, onLine: (line: ObserverLine) => void, signal: AbortSignal): Promise<void> {
  let last = ''
  while (!signal.aborted) {
    for (const { server } of agents.values()) {
      const owned = server === undefined ? undefined : await slotsOf(server.urls.control)
      if (owned === undefined) continue
      const text = JSON.stringify(owned)
      if (text !== last) onLine({ f: 'slots', owned })
      last = text
      break
    }
    await delay(everyMs)
  }
}

const everyMs = 200
const answerMs = 500

async function slotsOf(control: string): Promise<Readonly<Record<string, number>> | undefined> {
  try {
    const answer = await fetch(`${control}/agents`, { signal: AbortSignal.timeout(answerMs) })
    if (!answer.ok) return undefined
    // The cast: openapi.json describes it.
    const { agents } = (await answer.json()) as { readonly agents: readonly { readonly agent: string; readonly slots: number }[] }
    return Object.fromEntries(agents.map(({ agent, slots }) => [agent, slots]))
  } catch {
    return undefined // It starts, ends, or is paused: the next one is asked.
  }
}
