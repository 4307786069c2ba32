// Prints the records of a reader, and reports after each write what has been written: no later offset may be committed.
import type { DataSink } from './data-sink.ts'
import type { RecordBlock } from './partition-reader.ts'
import type { RecordMatcher } from './record-filter.ts'
import type { RecordPrinter } from './record-printer.ts'

export interface Printing {
  readonly sink: DataSink
  readonly keeps: RecordMatcher
  readonly print: RecordPrinter
  /** Infinity: no limit. */
  readonly count: number
  readonly signal: AbortSignal
  /** Everything in the partition before `offset` has been written, or was not requested. */
  readonly printed: (place: { readonly topic: string; readonly partition: number; readonly offset: bigint }) => void
}

/** Settles after the last block, after `count` records, or when the signal aborts. Rejects when the signal aborts while the output accepts nothing. */
export async function printRecords(
  blocks: AsyncIterable<readonly RecordBlock[]>,
  { sink, keeps, print, count, signal, printed }: Printing,
): Promise<void> {
  let left = count
  for await (const answer of blocks) {
    for (const { reading, records, next } of answer) {
      const { topic, partition } = reading
      for (const record of records) {
        if (!keeps(record)) continue
        sink.add(print(record))
        left -= 1
        if (left > 0 && !sink.isFull) continue
        await sink.flush(signal)
        printed({ topic, partition, offset: record.offset + 1n })
        if (left === 0 || signal.aborted) return
      }
      await sink.flush(signal)
      printed({ topic, partition, offset: next })
      if (signal.aborted) return
    }
  }
}
