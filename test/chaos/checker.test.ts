// The checker of histories, with histories in which a bug is planted.
import { describe, expect, test } from 'vitest'
import { check, type Rule } from './checker.ts'
import type { ClientLine, HistoryLine, ObserverLine, Reader, StoredBatch } from './history.ts'

const readers: readonly Reader[] = [
  { kind: 'assigned', name: 'reader' },
  { kind: 'member', name: 'member 1', group: 'g' },
  { kind: 'member', name: 'member 2', group: 'g' },
  { kind: 'scan', name: 'scan 1' },
  { kind: 'scan', name: 'scan 2' },
]

type Line = ClientLine | ObserverLine

/** Three records of partition 0, one of partition 1, and everything that clients can do with them. */
function aHistory(): Line[] {
  const all = [
    [0, 0, 'a'],
    [0, 1, 'b'],
    [0, 2, 'c'],
    [1, 0, 'd'],
  ] as const
  return [
    ...all.map(([partition, , value]): Line => ({ f: 'send', partition, value })),
    ...all.map(([partition, offset, value]): Line => ({ f: 'sent', partition, offset, value })),
    { f: 'polled', reader: 'reader', records: all.slice(0, 2) },
    { f: 'polled', reader: 'reader', records: all.slice(2) },
    { f: 'polled', reader: 'member 1', records: all.slice(0, 2) },
    { f: 'committed', group: 'g', offsets: [[0, 2]] },
    // After a rebalance, some are received again.
    { f: 'polled', reader: 'member 2', records: all.slice(1) },
    { f: 'fetch offsets', group: 'g', id: 1 },
    {
      f: 'fetched offsets',
      group: 'g',
      id: 1,
      offsets: [
        [0, 2],
        [1, -1],
      ],
    },
    { f: 'polled', reader: 'scan 1', records: all },
    { f: 'polled', reader: 'scan 2', records: all },
  ]
}

function rulesOf(lines: readonly Line[]): readonly Rule[] {
  const history = lines.map((line, atMs): HistoryLine => ({ atMs, process: 'p', ...line }))
  return [...new Set(check(history, readers).anomalies.map(({ rule }) => rule))].toSorted()
}

test('a history without a fault is clean, and counted', () => {
  const history = aHistory().map((line, atMs): HistoryLine => ({ atMs, process: 'p', ...line }))
  expect(check(history, readers)).toEqual({
    anomalies: [],
    figures: { sent: 4, acknowledged: 4, unknown: 0, polled: 17, commits: 1, resent: 0, longestPauseMs: { p: 1 } },
  })
})

test('an acknowledgement may have no offset', () => {
  expect(rulesOf(aHistory().map((line) => (line.f === 'sent' && line.value === 'b' ? { ...line, offset: null } : line)))).toEqual([])
})

describe('the stored batches', () => {
  const batches = (...more: readonly Partial<StoredBatch>[]): readonly Line[] => {
    const first = { partition: 0, offset: 0, records: 1, producerId: 7, epoch: 0, sequence: 0 }
    return more.map((batch) => ({ f: 'batch', ...first, ...batch }))
  }

  test('those of one producer follow one another in each partition, and those of other producers are between them', () => {
    const stored = batches(
      { records: 2 },
      { offset: 2, producerId: 8 },
      { offset: 3, producerId: -1, epoch: -1, sequence: -1 },
      { offset: 4, sequence: 2 },
      { offset: 5, epoch: 1, sequence: 0 },
      { partition: 1 },
    )
    // They arrive in any order.
    expect(rulesOf([...aHistory(), ...stored.toReversed()])).toEqual([])
  })

  test.each([
    ['repeated', { offset: 2, sequence: 0 }],
    ['missing', { offset: 2, sequence: 3 }],
    ['not at 0 in a new epoch', { offset: 2, epoch: 1, sequence: 2 }],
  ])('a sequence number is %s', (_, second) => {
    expect(rulesOf([...aHistory(), ...batches({ records: 2 }, second)])).toEqual(['broken sequence'])
  })

  test('the epoch goes back', () => {
    expect(rulesOf([...aHistory(), ...batches({ epoch: 1 }, { offset: 1, epoch: 0 })])).toEqual(['broken sequence'])
  })

  test('a record is stored twice: by the broker, or because its client sent it under another epoch or producer id', () => {
    const twice = aHistory().map(
      (line): Line => (line.f === 'polled' && line.reader.startsWith('scan') ? { ...line, records: [...line.records, [0, 3, 'a']] } : line),
    )
    const figures = (lines: readonly Line[]) =>
      check(
        lines.map((line, atMs): HistoryLine => ({ atMs, process: 'p', ...line })),
        readers,
      )
    expect(rulesOf(twice)).toEqual(['duplicate'])
    expect(rulesOf([...twice, ...batches({ records: 3 }, { offset: 3, sequence: 3 })])).toEqual(['duplicate'])
    for (const again of [{ epoch: 1 }, { producerId: 9 }]) {
      const verdict = figures([...twice, ...batches({ records: 3 }, { offset: 3, ...again })])
      expect([verdict.anomalies, verdict.figures.resent]).toEqual([[], 1])
    }
  })
})

test('the line of a reader may arrive before that of the sender, which is another process', () => {
  const isLate = (line: Line): boolean => line.f === 'send' && line.value === 'd'
  expect(rulesOf([...aHistory().filter((line) => !isLate(line)), ...aHistory().filter(isLate)])).toEqual([])
})

test('a record with an unknown outcome may be in the log or not', () => {
  const unknown: readonly Line[] = [
    { f: 'send', partition: 1, value: 'e' },
    { f: 'unknown', partition: 1, value: 'e', error: 'timed out' },
  ]
  expect(rulesOf([...unknown, ...aHistory()])).toEqual([])
  const there: Line[] = aHistory().map((line) =>
    line.f === 'polled' && line.reader !== 'member 1' && line.records.some(([, , value]) => value === 'd')
      ? { ...line, records: [...line.records, [1, 1, 'e'] as const] }
      : line,
  )
  expect(rulesOf([...unknown, ...there])).toEqual([])
})

describe('planted bugs', () => {
  const changed = (change: (line: Line) => Line | undefined): readonly Line[] =>
    aHistory().flatMap((line) => {
      const after = change(line)
      return after === undefined ? [] : [after]
    })
  const polledBy = (reader: string, change: (records: (readonly [number, number, string])[]) => (readonly [number, number, string])[]) =>
    changed((line) => (line.f === 'polled' && line.reader === reader ? { ...line, records: change([...line.records]) } : line))
  const everyPoll = (change: (record: readonly [number, number, string]) => readonly [number, number, string] | undefined) =>
    changed((line) =>
      line.f === 'polled'
        ? {
            ...line,
            records: line.records.flatMap((record) => {
              const after = change(record)
              return after === undefined ? [] : [after]
            }),
          }
        : line,
    )

  test('the last record of a partition is gone', () => {
    expect(rulesOf(everyPoll((record) => (record[2] === 'c' ? undefined : record)))).toEqual(['lost record', 'unseen record'])
  })

  test('a record that was read is missing at the end', () => {
    const unacknowledged = changed((line) => (line.f === 'sent' && line.value === 'd' ? undefined : line))
    const lost = unacknowledged.map((line) =>
      line.f === 'polled' && line.reader.startsWith('scan') ? { ...line, records: line.records.slice(0, 3) } : line,
    )
    expect(rulesOf(lost)).toEqual(['lost record'])
  })

  test('only one of two scans finds a record', () => {
    expect(rulesOf(polledBy('scan 2', (records) => records.slice(0, 3)))).toEqual(['lost record'])
  })

  test('a record is stored twice', () => {
    expect(rulesOf(polledBy('scan 1', (records) => [...records, [1, 1, 'd']]))).toEqual(['duplicate'])
  })

  test('a record is stored in a second partition, too', () => {
    expect(rulesOf(polledBy('scan 1', (records) => [...records, [2, 0, 'd']]))).toEqual(['duplicate', 'phantom record'])
  })

  test('two records have changed places', () => {
    const swapped = new Map([
      ['b', 'c'],
      ['c', 'b'],
    ])
    expect(rulesOf(everyPoll(([partition, offset, value]) => [partition, offset, swapped.get(value) ?? value]))).toEqual([
      'duplicate',
      'inconsistent offset',
      'wrong offset',
    ])
  })

  test('an offset has another value for one reader', () => {
    const forged: Line = { f: 'send', partition: 0, value: 'x' }
    expect(rulesOf([forged, ...polledBy('scan 2', (records) => records.map((r) => (r[2] === 'b' ? [0, 1, 'x'] : r)))])).toContain(
      'inconsistent offset',
    )
  })

  test('a record arrives that was never sent, or with other bytes', () => {
    expect(rulesOf(polledBy('scan 1', (records) => [...records, [1, 1, 'torn']]))).toContain('phantom record')
  })

  test('an assigned reader passes over a record, begins late, or goes back', () => {
    expect(rulesOf(polledBy('reader', (records) => records.filter(([, , value]) => value !== 'b')))).toEqual(['skip', 'unseen record'])
    expect(rulesOf(polledBy('reader', (records) => records.filter(([, , value]) => value !== 'a')))).toEqual(['skip', 'unseen record'])
    expect(rulesOf(polledBy('reader', (records) => [...records, ...records.slice(0, 1)]))).toContain('non-monotonic poll')
  })

  test('a member passes over a record inside one poll', () => {
    expect(rulesOf(polledBy('member 2', (records) => [[0, 0, 'a'], ...records.slice(1)]))).toEqual(['skip'])
  })

  test('a group never receives a record, because its offset went ahead', () => {
    expect(rulesOf(polledBy('member 2', (records) => records.filter(([, , value]) => value !== 'c')))).toEqual(['unseen record'])
  })

  test('a later record got the earlier offset, whichever was acknowledged first', () => {
    const sends: readonly Line[] = ['y', 'z'].map((value) => ({ f: 'send', partition: 3, value }))
    const sent: readonly Line[] = [
      { f: 'sent', partition: 3, value: 'y', offset: 1 },
      { f: 'sent', partition: 3, value: 'z', offset: 0 },
    ]
    for (const answers of [sent, sent.toReversed()]) expect(rulesOf([...sends, ...answers])).toContain('non-monotonic send')
  })

  test('an acknowledged commit is not returned, or only an older one', () => {
    for (const offset of [-1, 1])
      expect(rulesOf(changed((line) => (line.f === 'fetched offsets' ? { ...line, offsets: [[0, offset]] } : line)))).toEqual([
        'lost commit',
      ])
  })

  test('a commit that was acknowledged after the question need not be in its answer', () => {
    const lines = aHistory()
    const at = lines.findIndex(({ f }) => f === 'fetched offsets')
    expect(rulesOf([...lines.slice(0, at), { f: 'committed', group: 'g', offsets: [[0, 3]] }, ...lines.slice(at)])).toEqual([])
  })

  test('a member that begins again at an older commit lowers the offset, before the answer or after it', () => {
    const lines = aHistory()
    const at = lines.findIndex(({ f }) => f === 'fetched offsets')
    const older = lines.map((line): Line => (line.f === 'fetched offsets' ? { ...line, offsets: [[0, 1]] } : line))
    const again: Line = { f: 'committed', group: 'g', offsets: [[0, 1]] }
    expect(rulesOf([...older.slice(0, at), again, ...older.slice(at)])).toEqual([])
    expect(rulesOf([...older.slice(0, at + 1), again, ...older.slice(at + 1)])).toEqual([])
    const higher: Line = { f: 'committed', group: 'g', offsets: [[0, 2]] }
    expect(rulesOf([...older.slice(0, at + 1), higher, ...older.slice(at + 1)])).toEqual(['lost commit'])
  })

  test('the log has a hole', () => {
    const moved = aHistory().map((line): Line => {
      if (line.f === 'sent' && line.value === 'c') return { ...line, offset: 3 }
      if (line.f === 'polled') return { ...line, records: line.records.map((r) => (r[2] === 'c' ? [0, 3, 'c'] : r)) }
      return line
    })
    expect(rulesOf(moved)).toEqual(['gap', 'skip'])
  })
})
