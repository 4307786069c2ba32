// Files of offsets, as Kafka's own tool and rpk write them.
import { expect, test } from 'vitest'
import { offsetsFile, parseOffsetsFile } from './offsets-file.ts'

const two = [
  { topic: 'audit', partition: 0, offset: 7 },
  { topic: 'orders', partition: 1, offset: 42 },
]

test.each([
  ['lines of Kafka', 'orders,1,42\naudit,0,7\n'],
  ['Windows, quotes and comments', '# of Monday\r\n"orders","1","42"\r\n\r\naudit,0,7'],
  ['with the group in front', 'billing,orders,1,42\nother,orders,1,1\nbilling,audit,0,7\n'],
  ['rpk', 'orders 1 42\naudit\t0\t7\n'],
])('%s', (_name, text) => {
  expect(parseOffsetsFile(text, 'billing')).toEqual({ kind: 'offsets', offsets: two })
})

test('what was written is read again', () => {
  expect(offsetsFile(two)).toBe('audit,0,7\norders,1,42\n')
  expect(parseOffsetsFile(offsetsFile(two), 'billing')).toEqual({ kind: 'offsets', offsets: two })
  expect(parseOffsetsFile('', 'billing')).toEqual({ kind: 'offsets', offsets: [] })
})

test.each([
  ['orders,1', 1, /not topic,partition,offset/],
  ['orders,1,42\norders,1,-1', 2, /not topic,partition,offset/],
  ['orders,x,1', 1, /not topic,partition,offset/],
  ['\norders,1,1\norders,1,2', 3, /named twice/],
])('%j is rejected with its line', (text, line, why) => {
  expect(parseOffsetsFile(text, 'billing')).toEqual({ kind: 'wrong', line, why: expect.stringMatching(why) })
})
