// The newest releases of other people's clients, by the versions that test/e2e/clients pins: every codec, administration, groups, and a kill of the server.
import { describe, expect } from 'vitest'
import { adminSteps, type ClientProgram, clientPrograms } from './clients/clients.ts'
import { pinOf } from './clients/pins.ts'
import { clientRun, nameOf, needsClients, type PrintedRecord, startClient } from './testing/client-program.ts'
import { becomes, committed, createTopic, groupOf, produceToEach, settled, topicValues } from './testing/http.ts'
import type { JsonProgram } from './testing/json-program.ts'
import { RestartableServer, sharedServer } from './testing/restartable-server.ts'

const programs: readonly ClientProgram[] = clientPrograms

const server = sharedServer()

// The limit is for a machine that does much else at the time; each run has a bound of its own.
describe.concurrent.each(programs)('$name', { timeout: 240_000 }, (client) => {
  const test = needsClients(client.language)
  const name = nameOf(client)

  test('is the version that is pinned', async () => {
    const [line] = await clientRun(client, 'version')
    expect(line).toEqual({ version: expect.stringMatching(new RegExp(`^v?${pinOf(client).replaceAll('.', '\\.')}( |$)`)) })
  })

  test('reads what it has produced with every codec, and what it has produced idempotently', async () => {
    const topic = `${name}-codecs`
    await createTopic(server, topic, 2)
    const to = { bootstrap: server.kafka, topic }
    const runs = [...client.codecs.map((codec) => ({ codec, idempotent: client.idempotent })), { codec: 'none', idempotent: false }]
    const expected = (run: number): readonly Placed[] =>
      Array.from({ length: 20 }, (_, number) => ({ partition: number % 2, offset: run * 10 + Math.floor(number / 2), number }))
    for (const [run, how] of runs.entries()) {
      const sent = (await clientRun(client, 'produce', { ...to, ...how, count: 20 })).map((line) => placed(line, 'value'))
      expect(sorted(sent), how.codec).toEqual(sorted(expected(run)))
    }
    const read = await clientRun(client, 'consume', { ...to, count: runs.length * 20 })
    for (const field of ['key', 'value', 'header'] as const)
      expect(sorted(read.map((line) => placed(line, field))), field).toEqual(sorted(runs.flatMap((_, run) => expected(run))))
  })

  // Among others C1: librdkafka 2.16 asks for all topics with bytes after the request's end.
  test('C1: administers topics, configs, groups and offsets', async () => {
    const read = `${name}-read`
    const group = `${name}-readers`
    await createTopic(server, read, 2)
    for (const round of [1, 2, 3]) await produceToEach(server, read, 2, `round ${round}`)
    await using member = startClient(client, 'group', { bootstrap: server.kafka, topic: read, group })
    await member.printed(6)
    await becomes(() => committed(server, group), 6)
    await member.finish()
    const steps = await clientRun(client, 'admin', { bootstrap: server.kafka, topic: `${name}-admin`, group, read })
    const expected = Object.entries(adminSteps).filter(([step]) => !client.lacks.some((lacking) => lacking === step))
    expect(steps).toEqual(expected.map(([step, fields]) => ({ step, ...fields })))
  })

  test('shares a topic between two members, one of which leaves, and every record is read and committed', async () => {
    const topic = `${name}-shared`
    const group = `${name}-sharers`
    const partitions = 4
    await createTopic(server, topic, partitions)
    const start = (): JsonProgram<PrintedRecord> => startClient(client, 'group', { bootstrap: server.kafka, topic, group })
    await using first = start()
    await using second = start()
    await settled(server, group, { members: 2, partitions })
    const values = [...(await produceToEach(server, topic, partitions, 'two members'))]
    const taken = (): readonly string[] => [...new Set([...first.lines, ...second.lines].map(({ value }) => value))].toSorted()
    await becomes(taken, values.toSorted())
    expect(first.lines.length, 'each has a part').toBeGreaterThan(0)
    expect(second.lines.length, 'each has a part').toBeGreaterThan(0)
    await first.finish()
    await settled(server, group, { members: 1, partitions })
    values.push(...(await produceToEach(server, topic, partitions, 'one member')))
    await becomes(taken, values.toSorted())
    await becomes(() => committed(server, group), values.length)
    await second.finish()
    expect(await groupOf(server, group)).toMatchObject({ state: 'Empty', members: [], lag: 0 })
  })

  const survivor = client.survives ? test : test.skip
  survivor('produces on over a kill -9 of the server and its start', async () => {
    await using killed = new RestartableServer()
    await killed.start()
    await createTopic(killed, 'loop', 3)
    await using producer = startClient(client, 'loop', { bootstrap: killed.kafka, topic: 'loop' })
    await producer.printed(300)
    await killed.kill()
    const acknowledged = producer.lines.length
    await killed.start()
    await producer.printed(acknowledged + 300)
    await producer.finish()
    const found = await Promise.all([0, 1, 2].map((partition) => topicValues(killed, 'loop', partition)))
    for (const { partition, offset, value } of producer.lines)
      expect(found[partition]?.[offset], `offset ${offset} of partition ${partition}`).toBe(value)
    const values = producer.lines.map(({ value }) => value)
    expect(new Set(values).size, 'acknowledged once').toBe(values.length)
    if (!client.idempotent) return
    expect(found.flat().toSorted(), 'nothing lost, nothing doubled').toEqual(values.toSorted())
    for (const inPartition of found) expect(inPartition, 'in the order in which it was sent').toEqual(inPartition.toSorted(byNumber))
  })
})

interface Placed {
  readonly partition: number
  readonly offset: number
  /** The record's own, which its key, value and header all carry. */
  readonly number: number
}

function placed(line: unknown, field: 'key' | 'value' | 'header'): Placed {
  // The cast: it is what the programs print.
  const { partition, offset, [field]: text } = line as PrintedRecord
  return { partition, offset, number: text?.startsWith(`${field} `) ? Number(text.slice(field.length)) : Number.NaN }
}

function sorted(records: readonly Placed[]): readonly Placed[] {
  return records.toSorted((one, other) => one.partition - other.partition || one.offset - other.offset)
}

function byNumber(one: string, other: string): number {
  return Number(one.slice('record '.length)) - Number(other.slice('record '.length))
}
