// Kafka Streams 4.3: a word count creates its own topics, and its counts are right after a kill of the server and one of the application with the loss of its state.
import { join } from 'node:path'
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
  /** The last count of each word. */
  const counted = async (): Promise<Readonly<Record<string, number>>> => {
    const lines = linesOf(await printed(server.kafka, ['consume', 'counts', '-e', '-o', 'json']))
    const records = lines.map((line) => JSON.parse(line) as { readonly offset: number; readonly key: string; readonly value: string })
    // A word is in one partition, which is read in order.
    return Object.fromEntries(records.map(({ key, value }) => [key, Number(value)]))
  }
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

  const remaining = async (topic: string): Promise<number> => linesOf(await printed(server.kafka, ['consume', topic, '-e'])).length
})

function sorted(counts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(counts).toSorted(([one], [other]) => (one < other ? -1 : 1))
}
