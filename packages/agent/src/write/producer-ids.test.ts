// Producer ids: each is unique and allocated on request, and waiting requests share one call to the database.
import { expect, test } from 'vitest'
import { ProducerIds } from './producer-ids.ts'

test('C3: the database allocates an id on request, and requests that wait share a call', async () => {
  const calls: PromiseWithResolvers<number>[] = []
  const counts: number[] = []
  const ids = new ProducerIds((count) => {
    counts.push(count)
    const call = Promise.withResolvers<number>()
    calls.push(call)
    return call.promise
  })
  const first = ids.next()
  const others = [ids.next(), ids.next()]
  expect(counts).toEqual([1])
  calls[0]?.resolve(10)
  expect(await first).toBe(10)
  expect(counts).toEqual([1, 2])
  calls[1]?.resolve(20)
  expect(await Promise.all(others)).toEqual([20, 21])
  const later = ids.next()
  expect(counts).toEqual([1, 2, 1])
  calls[2]?.resolve(30)
  expect(await later).toBe(30)
})

test('a failed call rejects the requests that share it, and the next request calls again', async () => {
  let calls = 0
  const ids = new ProducerIds(async () => {
    calls += 1
    if (calls === 1) throw new Error('the database is away')
    return 5
  })
  const [failed, served] = await Promise.allSettled([ids.next(), ids.next()])
  expect(failed.status).toBe('rejected')
  expect(served).toEqual({ status: 'fulfilled', value: 5 })
})
