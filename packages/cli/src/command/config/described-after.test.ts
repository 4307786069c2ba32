// What is printed after a change of configs, when a broker shows it late.
import { expect, test } from 'vitest'
import type { ConfigEntry } from '../../cluster/configs.ts'
import { describedAfter } from './described-after.ts'

const entry = (value: string | null, source: ConfigEntry['source'], sensitive = false): ConfigEntry => ({
  name: 'retention.ms',
  value,
  source,
  sensitive,
  readOnly: false,
  doc: undefined,
})

test.each([
  ['a new value', '5', [entry('9', 'default'), entry('9', 'default'), entry('5', 'topic')]],
  ['another value', '5', [entry('4', 'topic'), entry('5', 'topic')]],
  ['a reset to the default', undefined, [entry('4', 'topic'), entry('9', 'default')]],
  ["a reset to the brokers' value", undefined, [entry('4', 'topic'), entry('7', 'all brokers')]],
  ['a secret', 'x', [entry(null, 'broker', true)]],
])('%s is described once the broker shows it', async (_, value, answers) => {
  const left = [...answers]
  let pauses = 0
  const { configs, shown } = await describedAfter([{ name: 'retention.ms', value }], {
    describe: async () => left.splice(0, 1),
    pause: async () => void pauses++,
  })
  expect({ configs, shown, pauses }).toEqual({ configs: answers.slice(-1), shown: true, pauses: answers.length - 1 })
})

test('a change that stays away is reported as not shown', async () => {
  const changes = [{ name: 'retention.ms', value: '5' }]
  const kept = [entry('4', 'topic')]
  expect(await describedAfter(changes, { describe: async () => kept, pause: async () => undefined })).toEqual({
    configs: kept,
    shown: false,
  })
})
