// Kafka Streams 4.3: a word count creates its own topics, and its counts are right after kills of the server and of the application: at least once with the loss of its state, and exactly once under load.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect } from 'vitest'
import { printed } from './testing/client-command.ts'
import { ecosystemCommand, needsClients } from './testing/client-program.ts'
import { becomes, createTopic, groupOf } from './testing/http.ts'
import { type JsonProgram, startJsonProgram } from './testing/json-program.ts'
import { linesOf } from './testing/programs.ts'
import { sharedServer } from './testing/restartable-server.ts'
import { temporaryFolder } from './testing/server.ts'

/** What WordCount.java prints. */
type WordCountLine = { readonly state: string } | { readonly restored: string; readonly records: number } | { readonly error: string }

const words = ['alpha', 'beta', 'gamma', 'delta', 'epsilon', 'zeta', 'eta']

describe('Kafka Streams', { timeout: 180_000 }, () => {
  const server = sharedServer()
  const test = needsClients('ecosystem')

  const produced = new Map<string, number>()
  const produceLines = async (lines: number): Promise<void> => {
    const texts = Array.from({ length: lines }, (_, line) => {
      const ofLine = [words[line % words.length], words[(line * 3) % words.length], words[(line * line) % words.length]] as string[]
      for (const word of ofLine) produced.set(word, (produced.get(word) ?? 0) + 1)
      return ofLine.join(' ')
    })
    await printed(server.kafka, ['produce', 'lines'], `${texts.join('\n')}\n`)
  }
  const countsIn = async (topic: string): Promise<readonly { readonly key: string; readonly value: string }[]> => {
    const lines = linesOf(await printed(server.kafka, ['consume', topic, '-e', '-o', 'json']))
    return lines.map((line) => JSON.parse(line) as { readonly key: string; readonly value: string })
  }
  /** The last count of each word. A word is in one partition, which is read in order. */
  const counted = async (topic = 'counts'): Promise<Readonly<Record<string, number>>> =>
    Object.fromEntries((await countsIn(topic)).map(({ key, value }) => [key, Number(value)]))
  const countsAreRight = async (): Promise<void> =>
    await becomes(async () => sorted(await counted()), sorted(Object.fromEntries(produced)), 60)
  const everythingIsCommitted = async (): Promise<void> => await becomes(async () => (await groupOf(server, 'word-count')).lag, 0)

  const start = (state: string): JsonProgram<WordCountLine> =>
    startJsonProgram<WordCountLine>(...ecosystemCommand('WordCount', ['--bootstrap', server.kafka, '--state', state]))

  test('a word count is right after kills of the server and of the application, and restores its lost state', async () => {
    await createTopic(server, 'lines', 2)
    await createTopic(server, 'counts', 2)
    await using folder = await temporaryFolder()
    await produceLines(500)
    {
      await using first = start(join(folder.path, 'first'))
      await expect.poll(async () => Object.keys(await counted()), { timeout: 60_000 }).not.toEqual([])
      const more = produceLines(2_000)
      await server.restart()
      await more
      await countsAreRight()
      await everythingIsCommitted()
      await first.kill()
      expect(first.lines.filter((line) => 'error' in line)).toEqual([])
    }

    const described = async (topic: string): Promise<string> => await printed(server.kafka, ['config', 'describe', 'topic', topic])
    expect(await described('word-count-counts-changelog')).toMatch(/cleanup\.policy\s+topic\s+compact/)
    expect(await described('word-count-words-repartition')).toMatch(/retention\.ms\s+topic\s+-1/)

    await produceLines(300)
    await using second = start(join(folder.path, 'second'))
    await countsAreRight()
    const restored = second.lines.filter((line) => 'restored' in line)
    expect(restored.map((line) => line.restored).toSorted()).toEqual(['word-count-counts-changelog-0', 'word-count-counts-changelog-1'])
    expect(restored.reduce((sum, { records }) => sum + records, 0)).toBeGreaterThanOrEqual(words.length)
    await everythingIsCommitted()
    // It deletes what it has counted from its repartition topic.
    await becomes(async () => await remaining('word-count-words-repartition'), 0, 30)
    await second.finish()
    expect(second.lines).toContainEqual({ state: 'NOT_RUNNING' })
  })

  test('exactly once: counts are exact after kill -9 of the application and of the server under load', { timeout: 300_000 }, async () => {
    await createTopic(server, 'lines-once', 2)
    await createTopic(server, 'counts-once', 2)
    await using folder = await temporaryFolder()
    // Each run has the state of the one before, and so its transactional ids: it aborts what that one left open.
    const options = { application: 'word-count-once', guarantee: 'exactly_once_v2', session: '6000', from: 'lines-once', to: 'counts-once' }
    const begin = (): JsonProgram<WordCountLine> => {
      const words = Object.entries({ ...options, state: folder.path, bootstrap: server.kafka }).flatMap(([name, value]) => [
        `--${name}`,
        value,
      ])
      return startJsonProgram<WordCountLine>(...ecosystemCommand('WordCount', words))
    }
    const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 100 }
    const producer = new Kafka({ brokers: [server.kafka], logLevel: logLevel.NOTHING, retry }).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      retry,
    })
    await producer.connect()
    const counts = new Map<string, number>()
    let isOver = false
    const load = (async () => {
      for (let line = 0; !isOver; line += 1) {
        const ofLine = [line, 3 * line, line * line].map((at) => words[at % words.length] ?? '')
        await producer.send({ topic: 'lines-once', messages: [{ value: ofLine.join(' ') }] })
        for (const word of ofLine) counts.set(word, (counts.get(word) ?? 0) + 1)
        await delay(20)
      }
    })()
    for (const kills of ['application', 'server', 'application'] as const) {
      const before = (await countsIn('counts-once')).length
      await using application = begin()
      await expect.poll(async () => (await countsIn('counts-once')).length, { timeout: 120_000, interval: 500 }).toBeGreaterThan(before)
      if (kills === 'server') await server.restart()
      await application.kill()
      expect(application.lines.filter((line) => 'error' in line)).toEqual([])
    }
    isOver = true
    await load
    await producer.disconnect()
    await using last = begin()
    await becomes(async () => sorted(await counted('counts-once')), sorted(Object.fromEntries(counts)), 90)
    // No count is published twice: each is larger than the one before it.
    const seen = new Map<string, number>()
    const wrong = (await countsIn('counts-once')).filter(({ key, value }) => {
      const isWrong = Number(value) <= (seen.get(key) ?? 0)
      seen.set(key, Number(value))
      return isWrong
    })
    expect(wrong).toEqual([])
    await last.finish()
    expect(last.lines).toContainEqual({ state: 'NOT_RUNNING' })
  })

  const remaining = async (topic: string): Promise<number> => linesOf(await printed(server.kafka, ['consume', topic, '-e'])).length
})

function sorted(counts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(counts).toSorted(([one], [other]) => (one < other ? -1 : 1))
}
