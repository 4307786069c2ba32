// The end-to-end tests check results over HTTP, so that a client under test does not confirm its own work.
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { ServerProcess } from './server.ts'

type Reached = Pick<ServerProcess, 'urls'>

export interface HttpGroup {
  readonly state: string
  readonly generation: number
  readonly lag: number
  /** A group that does not exist has none. */
  readonly members?: readonly { readonly assignment: readonly { readonly partitions: readonly number[] }[] | null }[]
  readonly partitions?: readonly { readonly partition: number; readonly offset: number | null; readonly end: number }[]
}

export async function createTopic({ urls }: Reached, name: string, partitions: number): Promise<void> {
  const response = await fetch(`${urls.control}/topics`, { method: 'POST', body: JSON.stringify({ name, partitions }) })
  expect(response.status).toBe(200)
}

export async function metrics({ urls }: Reached): Promise<string> {
  return await (await fetch(`${urls.control}/metrics`)).text()
}

/** Writes one record with the key `k`, and returns its offset. */
export async function produceTo({ urls }: Reached, topic: string, partition: number, value: string): Promise<number> {
  const response = await fetch(`${urls.data}/topics/${topic}/produce/${partition}`, { method: 'POST', body: `k:${value}` })
  expect(response.status).toBe(200)
  return ((await response.json()) as { readonly offset: number }).offset
}

/** Writes one record to each partition, and returns their values. */
export async function produceToEach(server: Reached, topic: string, partitions: number, value: string): Promise<readonly string[]> {
  const values = Array.from({ length: partitions }, (_, partition) => `${value} ${partition}`)
  for (const [partition, each] of values.entries()) await produceTo(server, topic, partition, each)
  return values
}

export async function groupOf({ urls }: Reached, group: string): Promise<HttpGroup> {
  // The cast: the answer's shape is the HTTP contract, which has tests of its own.
  return (await (await fetch(`${urls.control}/groups/${group}`)).json()) as HttpGroup
}

/** Waits until the group is stable with so many members, and each partition belongs to one of them. */
export async function settled(
  server: Reached,
  group: string,
  { members, partitions }: { readonly members: number; readonly partitions: number },
): Promise<HttpGroup> {
  const wanted = { state: 'Stable', members, owned: Array.from({ length: partitions }, (_, at) => at) }
  await becomes(async () => {
    const found = await groupOf(server, group)
    const owned = (found.members ?? []).flatMap(({ assignment }) => assignment?.flatMap((of) => of.partitions) ?? [])
    return { state: found.state, members: found.members?.length, owned: owned.toSorted((one, other) => one - other) }
  }, wanted)
  return await groupOf(server, group)
}

/** The sum of the group's committed offsets. */
export async function committed(server: Reached, group: string): Promise<number> {
  return ((await groupOf(server, group)).partitions ?? []).reduce((sum, { offset }) => sum + (offset ?? 0), 0)
}

/** Waits until what is seen equals what is expected. Tests that run side by side share no `expect.poll`, which belongs to one test. */
export async function becomes(look: () => unknown, expected: unknown, seconds = 90): Promise<void> {
  const end = performance.now() + seconds * 1_000
  let seen = await look()
  while (!isDeepStrictEqual(seen, expected)) {
    // The last look fails with the difference.
    if (performance.now() > end) expect(seen).toEqual(expected)
    await delay(50)
    seen = await look()
  }
}

/** The committed values of a partition, by their offsets, up to the first transaction that is open. */
export async function topicValues({ urls }: Reached, topic: string, partition: number): Promise<readonly string[]> {
  const values: string[] = []
  for (let next = 0; ; ) {
    const answer = await fetch(`${urls.data}/topics/${topic}/messages/${partition}?offset=${next}&limit=1000`)
    expect(answer.status).toBe(200)
    // The cast: the answer's shape is the HTTP contract, which has tests of its own.
    const page = (await answer.json()) as {
      readonly records: readonly { readonly offset: number; readonly value: string }[]
      readonly next: number
      readonly highWatermark: number
    }
    for (const { offset, value } of page.records) values[offset] = value
    // Behind the last committed record every page is empty.
    if (page.next === next || page.next >= page.highWatermark) return values
    next = page.next
  }
}
