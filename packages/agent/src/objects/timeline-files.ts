// The timelines of a PostgreSQL in the object store: `timelines/<system>/<timeline>`, one small object for each, because no key gets a second content.
import type { ObjectStore } from './object-store.ts'

const prefix = 'timelines'

/** The highest timeline that is recorded for the system; 0 if there is none. Rejects with an ObjectStoreError. */
export async function highestTimeline(store: ObjectStore, system: string): Promise<number> {
  let highest = 0
  for await (const { key } of store.list(`${prefix}/${system}/`)) {
    const found = /\/(\d{10})$/.exec(key)
    if (found !== null) highest = Math.max(highest, Number(found[1]))
  }
  return highest
}

/** Idempotent. Rejects with an ObjectStoreError. */
export async function recordTimeline(store: ObjectStore, system: string, timeline: number): Promise<void> {
  const body = new TextEncoder().encode(`${JSON.stringify({ system, timeline })}\n`)
  await store.put(`${prefix}/${system}/${String(timeline).padStart(10, '0')}`, [body])
}
