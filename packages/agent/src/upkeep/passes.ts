// The loop of a job that makes a pass now and then, and what it does with a pass that a store interrupts.
import { MetadataError } from '../metadata/metadata-store.ts'
import { errorText } from '../native-error.ts'
import { ObjectStoreError } from '../objects/object-store.ts'
import type { EventHook } from '../observe/events.ts'
import type { Clock } from '../time/clock.ts'
import { every } from '../time/every.ts'
import { sleep } from '../time/sleep.ts'
import type { JobReport } from './job-report.ts'

/** The name of a job in events, and where they go. */
export interface JobName {
  readonly where: string
  readonly emit: EventHook
}

export interface Passes extends JobName {
  readonly clock: Clock
  /** Until the first pass. */
  readonly firstMs: number
  readonly everyMs: number
  /** Absent in tests. */
  readonly report?: JobReport
}

/** Makes passes until the signal aborts. One that a store interrupts is tried again at the next interval. */
export async function makePasses(passes: Passes, pass: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const { clock, firstMs, everyMs, report } = passes
  const tryPass = async (): Promise<void> => {
    try {
      report?.began()
      await pass()
      report?.ended()
    } catch (error) {
      report?.ended(errorText(error))
      if (!signal.aborted) interrupted(error, passes)
    }
    report?.nextIn(everyMs)
  }
  report?.nextIn(firstMs)
  try {
    await sleep(clock, firstMs, signal)
  } catch (error) {
    if (signal.aborted) return
    throw error
  }
  await tryPass()
  for await (const _ of every(clock, everyMs, signal)) await tryPass()
}

/** For an error that ended a pass. A store that is away only delays the job. An answer of the database that is not allowed is a defect. Throws any other error. */
export function interrupted(error: unknown, { where, emit }: JobName): void {
  if (error instanceof ObjectStoreError) return
  if (!(error instanceof MetadataError)) throw error
  if (error.kind === 'invalid') emit({ kind: 'defect', where, error })
}
