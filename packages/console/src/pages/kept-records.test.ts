// What a topic keeps, in words.
import { expect, test } from 'vitest'
import { sentencesOf } from './kept-records.tsx'

const sentences = (values: Readonly<Record<string, string>>): readonly string[] =>
  sentencesOf(Object.entries(values).map(([name, value]) => ({ name, value, source: '', type: '', doc: '' })))

test.each([
  [{ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' }, ['All records are kept.']],
  [{ 'cleanup.policy': '', 'retention.ms': '1000', 'retention.bytes': '1' }, ['All records are kept.']],
  [
    { 'cleanup.policy': 'delete', 'retention.ms': '604800000', 'retention.bytes': '1048576' },
    ['Records go when they are older than 7 days.', 'The oldest records of a partition go when it is larger than 1 MiB.'],
  ],
  [{ 'cleanup.policy': 'compact', 'retention.ms': '1000', 'retention.bytes': '-1' }, [expect.stringContaining('Of each key')]],
  [
    { 'cleanup.policy': 'compact,delete', 'retention.ms': '3600000', 'retention.bytes': '-1' },
    [expect.stringContaining('Of each key'), 'Records go when they are older than 1 hour.'],
  ],
])('%o', (values, expected) => {
  expect(sentences(values)).toEqual(expected)
})
