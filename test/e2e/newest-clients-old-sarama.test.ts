// What a Sarama of 2023 sends, in the version of Kafka that it was usually configured for: batches without their greatest timestamp, and commits with a retention time of 0.
import { describe, expect } from 'vitest'
import { type ClientProgram, clientPrograms } from './clients/clients.ts'
import { clientRun, needsClients, startClient } from './testing/client-program.ts'
import { becomes, committed, createTopic, produceToEach } from './testing/http.ts'
import { sharedServer } from './testing/restartable-server.ts'

const client: ClientProgram = clientPrograms.find(({ program }) => program === 'old-sarama') as ClientProgram
const test = needsClients(client.language)
/** From 2.1 on it commits without a retention time. */
const speaks = '1.0.0'

const server = sharedServer()

describe(client.name, () => {
  test.each(['none', 'gzip', 'snappy', 'lz4'])('C4: records of a batch with the codec %s are found by their times', async (codec) => {
    const topic = `times-${codec}`
    await createTopic(server, topic, 1)
    const found = await clientRun(client, 'times', { bootstrap: server.kafka, topic, codec, count: 5, speaks })
    expect(found).toEqual([0, 1, 2, 3, 4].map((offset) => ({ offset, found: offset })))
  })

  test('C6: a consumer that starts again goes on from its committed offsets, also after a kill of the server', async () => {
    const topic = 'kept'
    const group = 'keepers'
    const member = (): ReturnType<typeof startClient> => startClient(client, 'group', { bootstrap: server.kafka, topic, group, speaks })
    await createTopic(server, topic, 2)
    const read: string[] = []
    for (const round of [1, 2, 3]) {
      const values = await produceToEach(server, topic, 2, `round ${round}`)
      await using running = member()
      await running.printed(values.length)
      await becomes(() => committed(server, group), round * values.length)
      await running.finish()
      read.push(...running.lines.map(({ value }) => value))
      expect(running.lines.map(({ value }) => value).toSorted()).toEqual(values.toSorted())
      if (round === 2) {
        await server.restart()
      }
    }
    expect(new Set(read).size, 'nothing is read again').toBe(read.length)
  })
})
