// C14 and its kind: in any order of fetches, writes, commits, rebalances and signals, no offset is committed beyond the printed records.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { recordName } from './consumed-record.ts'
import { DataSink } from './data-sink.ts'
import { readAsMember } from './group-reader.ts'
import { OffsetCommitter } from './offset-committer.ts'
import type { OffsetRange } from './offset-range.ts'
import { printRecords } from './record-printing.ts'
import { Retries } from './retries.ts'
import { FakeGroup, topic } from './testing/fake-group.ts'

type Action =
  | { readonly kind: 'append'; readonly partition: number; readonly count: number }
  | { readonly kind: 'rebalance'; readonly kept: readonly number[]; readonly others: number }
  | { readonly kind: 'reader leaves' }

interface PrintedRun {
  readonly logs: readonly (readonly number[])[]
  /** -e */
  readonly exit: boolean
  /** -n; Infinity: not given. */
  readonly count: number
  readonly actions: readonly Action[]
}

const batches = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
const partitions = fc.integer({ min: 0, max: 2 })
const appends = fc.record({ kind: fc.constant('append' as const), partition: partitions, count: fc.integer({ min: 1, max: 5 }) })
const rebalances = fc.record({
  kind: fc.constant('rebalance' as const),
  kept: fc.uniqueArray(partitions, { maxLength: 3 }),
  others: fc.integer({ min: 0, max: 6 }),
})
const runOf = (...actions: fc.Arbitrary<Action>[]): fc.Arbitrary<PrintedRun> =>
  fc.record({
    logs: fc.tuple(batches, batches, batches),
    exit: fc.boolean(),
    count: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 12 })),
    actions: fc.array(fc.oneof(...actions), { maxLength: 5 }),
  })

/** Acts as `lks consume -g`: joins, prints, and commits the printed records before it leaves. The last action is always Ctrl-C. */
async function consumed({ logs, exit, count, actions }: PrintedRun, schedule: fc.Scheduler): Promise<FakeGroup> {
  const group = new FakeGroup(schedule, logs)
  const stop = new AbortController()
  const { signal } = stop
  const committer = new OffsetCommitter(group.member)
  const report = (): void => {}
  const retries = new Retries({ waitMs: 0, unreachedMs: 0, pauseMs: 1, signal, report, passes: () => false, isUnreached: () => false })
  const range: OffsetRange = { from: { kind: 'start' }, until: exit ? { kind: 'end' } : undefined }
  const blocks = readAsMember({ member: group.member, committer, client: group.client, retries, topics: [topic], range, signal, report })
  const gone = Promise.withResolvers<void>()
  const printing = printRecords(blocks, {
    sink: new DataSink(group.data),
    keeps: () => true,
    print: (record) => [Buffer.from(`${recordName(record)}\n`)],
    count,
    signal,
    printed: (place) => committer.printed(place),
  })
  const steps = actions.flatMap((action): readonly (() => void)[] => {
    if (action.kind === 'append') return [() => group.append(action.partition, action.count)]
    if (action.kind === 'rebalance') return group.rebalance(action.kept, action.others)
    return [
      () => {
        group.readerLeaves()
        gone.resolve()
      },
    ]
  })
  void schedule.scheduleSequence(
    [...steps, () => stop.abort(new Error('Ctrl-C'))].map((step, at) => ({ label: `step ${at}`, builder: async () => step() })),
  )
  // A closed reader also ends the command after its last work.
  await schedule.waitFor(Promise.race([printing, gone.promise]))
  // A commit that the coordinator rejects is reported to the user, and its records are printed again.
  await schedule.waitFor(committer.flush().catch((error: unknown) => expect(String(error)).toContain('ILLEGAL_GENERATION')))
  return group
}

test('C14: -e, -n, Ctrl-C, a closed pipe and rebalances commit at most the records that were written out, and only for partitions of this member', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      runOf(appends, rebalances, fc.constant({ kind: 'reader leaves' as const })),
      async (schedule, scenario) => {
        const group = await consumed(scenario, schedule)
        expect(group.violations).toEqual([])
      },
    ),
    { numRuns: 500 },
  )
})

test('C14: alone in its group, it commits exactly what was printed, with -e, -n and Ctrl-C, whatever is appended meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), runOf(appends), async (schedule, scenario) => {
      const group = await consumed(scenario, schedule)
      expect(group.violations).toEqual([])
      for (const [partition] of scenario.logs.entries()) {
        const printed = group.printed.filter((place) => place.startsWith(`${partition}@`)).map((place) => Number(place.slice(2)))
        expect(printed).toEqual(printed.map((_, offset) => offset))
        expect(group.committed.get(partition) ?? 0).toBe(printed.length)
      }
      expect(group.printed.length).toBeLessThanOrEqual(scenario.count)
    }),
    { numRuns: 500 },
  )
})
