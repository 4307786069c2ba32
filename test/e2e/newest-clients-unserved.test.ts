// C19: a client that asks for what is not served fails with an error, or the server's log names the client, the API and the reason.
import { beforeAll, describe, expect } from 'vitest'
import { type ClientProgram, clientPrograms, type ProgramName } from './clients/clients.ts'
import { clientRun, needsClients } from './testing/client-program.ts'
import { createTopic, produceToEach } from './testing/http.ts'
import { sharedServer } from './testing/restartable-server.ts'

const server = sharedServer()
beforeAll(async () => {
  await createTopic(server, 'asked', 1)
  await produceToEach(server, 'asked', 1, 'value')
})

interface Case {
  readonly name: ProgramName
  readonly lines: readonly object[]
  /** The lines of the log. */
  readonly log: readonly RegExp[]
}

const cases: readonly Case[] = [
  {
    name: 'confluent-kafka (Python)',
    lines: [
      { step: 'regular expression', value: 'value 0' },
      { step: 'consumer protocol', error: expect.stringMatching(/_FATAL.*ConsumerGroupHeartbeat/) },
      { step: 'describe users', error: expect.stringMatching(/_UNSUPPORTED_FEATURE/) },
    ],
    log: [/"api":"ConsumerGroupHeartbeat".*group\.protocol=classic/],
  },
  {
    name: 'kafka-go',
    // Its own words for a connection that ends: only the log can say more.
    lines: [{ step: 'describe users', error: expect.stringMatching(/EOF|connection reset/) }],
    log: [/DescribeUserScramCredentials/],
  },
]

describe.each(cases)('$name', ({ name, lines, log }) => {
  const client = clientPrograms.find((each) => each.name === name) as ClientProgram
  needsClients(client.language)('C19: what is not served ends in an error that the user sees', async () => {
    expect(await clientRun(client, 'unserved', { bootstrap: server.kafka, topic: 'asked', group: name })).toEqual(lines)
    for (const line of log) expect(server.log()).toMatch(line)
  })
})
