// The values of a bench: their size, and that each run knows its own.
import { expect, test } from 'vitest'
import { BenchValues, headBytes } from './bench-values.ts'

const values = (mark: string, sizeBytes: number): BenchValues => new BenchValues({ sizeBytes, mark: Buffer.from(mark), random: () => 0.5 })

test('a value has the wanted size, and says when it was sent', () => {
  for (const size of [headBytes, 17, 1_000]) {
    const value = values('01234567', size).value(1234.5, 0.999)
    expect(value).toHaveLength(size)
    expect(values('01234567', size).sentAtMs(value)).toBe(1234.5)
    expect(value.subarray(headBytes).toString()).toMatch(/^[A-Z]*$/)
  }
})

test('records of others are not counted', () => {
  const value = values('01234567', 100).value(1, 0)
  expect(values('76543210', 100).sentAtMs(value)).toBeUndefined()
  expect(values('01234567', 100).sentAtMs(null)).toBeUndefined()
  expect(values('01234567', 100).sentAtMs(Buffer.from('01234567'))).toBeUndefined()
})

test('a mark has eight bytes', () => {
  expect(BenchValues.newMark(() => 0.5)).toEqual(Buffer.alloc(8, 128))
})
