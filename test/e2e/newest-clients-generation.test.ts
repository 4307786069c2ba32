// C2: two members of one group stay in one generation. All clients are watched at the same time, for 15 seconds; with LKS_LONG=1 for a minute.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { type ClientProgram, clientPrograms } from './clients/clients.ts'
import { clientsBuilt, nameOf, needsClients, startClient } from './testing/client-program.ts'
import { becomes, committed, createTopic, groupOf, produceToEach, settled } from './testing/http.ts'
import { sharedServer } from './testing/restartable-server.ts'

const rounds = process.env.LKS_LONG === '1' ? 60 : 15
const partitions = 4
const programs: readonly ClientProgram[] = clientPrograms

const server = sharedServer()
const watched = new Map<string, Promise<readonly number[]>>()
beforeAll(async () => {
  for (const client of programs.filter(({ language }) => clientsBuilt[language])) {
    const watching = watch(client)
    watching.catch(() => {}) // its test reports it
    watched.set(client.name, watching)
  }
})
afterAll(async () => {
  await Promise.allSettled(watched.values())
})

describe.each(programs)('$name', (client) => {
  needsClients(client.language)('C2: two members of a group stay in one generation', { timeout: 300_000 }, async () => {
    const generations = await watched.get(client.name)
    expect(generations).toEqual(Array.from({ length: rounds + 1 }, () => generations?.[0]))
  })
})

/** Joins two members, and returns their group's generation once it has settled and after each second in which records came. All of these are committed. */
async function watch(client: ClientProgram): Promise<readonly number[]> {
  const topic = nameOf(client)
  const group = `${topic}-group`
  await createTopic(server, topic, partitions)
  await using first = startClient(client, 'group', { bootstrap: server.kafka, topic, group })
  await using second = startClient(client, 'group', { bootstrap: server.kafka, topic, group })
  const generations = [(await settled(server, group, { members: 2, partitions })).generation]
  for (let round = 1; round <= rounds; round += 1) {
    await produceToEach(server, topic, partitions, `round ${round}`)
    // The time that passes is what is tested: a client that cannot stay joins again within seconds.
    await delay(1_000)
    generations.push((await groupOf(server, group)).generation)
  }
  await becomes(() => committed(server, group), rounds * partitions)
  await first.finish()
  await second.finish()
  return generations
}
