// Carries out the schedule of a run on its cluster, and heals what it has done.
import { setTimeout as delay } from 'node:timers/promises'
import type { ChaosAgent, ChaosCluster } from './agents.ts'
import { fairWeather } from './s3-proxy.ts'
import { type AgentName, type Disturbance, type Disturbances, describeDisturbance } from './schedule.ts'

/** Settles when the last disturbance is healed. `onEvent` receives what happens. */
export async function disturb(cluster: ChaosCluster, schedule: Disturbances, onEvent: (text: string) => void): Promise<void> {
  const began = performance.now()
  const reached = (atMs: number): Promise<void> => delay(Math.max(0, began + atMs - performance.now()))
  await Promise.all(
    schedule.map(async ({ atMs, untilMs, what }) => {
      await reached(atMs)
      onEvent(describeDisturbance(what))
      const healing = await begin(cluster, what)
      await reached(untilMs)
      await healing()
      if (untilMs > atMs) onEvent(`healed: ${describeDisturbance(what)}`)
    }),
  )
}

/** Returns what heals it. */
async function begin(cluster: ChaosCluster, what: Disturbance): Promise<() => Promise<void> | void> {
  const { postgres, s3 } = cluster
  switch (what.kind) {
    case 'kill an agent': {
      const agent = agentOf(cluster, what.agent)
      await agent.kill()
      return () => agent.bringBack()
    }
    case 'pause an agent': {
      const agent = agentOf(cluster, what.agent)
      agent.pause()
      return () => agent.resume()
    }
    case 'pull a cable': {
      const { cable } = agentOf(cluster, what.agent)
      await cable.pull()
      return () => cable.plugIn()
    }
    case 'restart an agent':
      await agentOf(cluster, what.agent).restart()
      return () => {}
    case 'kill PostgreSQL':
      await postgres.kill()
      return () => postgres.start()
    case 'cut clients':
      agentOf(cluster, what.agent).clients.cut()
      return () => {}
    case 'slow clients': {
      const { clients } = agentOf(cluster, what.agent)
      clients.delay(what.delayMs)
      return () => clients.resume()
    }
    case 'cut PostgreSQL':
      agentOf(cluster, what.agent).database.cut()
      return () => {}
    case 'slow PostgreSQL': {
      const { database } = agentOf(cluster, what.agent)
      database.delay(what.delayMs)
      return () => database.resume()
    }
    case 'hold PostgreSQL': {
      const { database } = agentOf(cluster, what.agent)
      database.hold()
      return () => database.resume()
    }
    case 'slow S3':
      s3.weather = { ...fairWeather, delayMs: what.delayMs }
      return () => void (s3.weather = fairWeather)
    case 'failing S3':
      s3.weather = { ...fairWeather, failing: what.share }
      return () => void (s3.weather = fairWeather)
    case 'S3 is away':
      s3.weather = { ...fairWeather, away: true }
      return () => void (s3.weather = fairWeather)
  }
}

function agentOf({ agents }: ChaosCluster, name: AgentName): ChaosAgent {
  const agent = agents.get(name)
  if (agent === undefined) throw new Error(`there is no agent '${name}'`)
  return agent
}
