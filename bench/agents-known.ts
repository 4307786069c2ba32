// Waits until agents know one another.
import { setTimeout as delay } from 'node:timers/promises'
import { Metadata } from '@local-kafka-service/protocol'
import type { ServerProcess } from '../test/e2e/testing/server.ts'
import { WireClient } from './wire-client.ts'

const knownWithinMs = 30_000
const checkMs = 50

/** Resolves when each of the agents knows all of them, and no other. */
export async function agentsKnown(agents: readonly ServerProcess[]): Promise<void> {
  for (const { port } of agents) {
    const client = await WireClient.open(port)
    for (const deadline = performance.now() + knownWithinMs; ; await delay(checkMs)) {
      const { brokers } = await client.ask(Metadata, 9, { topics: [] })
      if (brokers.length === agents.length) break
      if (performance.now() > deadline) throw new Error(`an agent knows ${brokers.length} agents, not ${agents.length}`)
    }
    client.close()
  }
}
