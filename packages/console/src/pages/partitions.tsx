// The partitions of a topic: the offsets and the size of each.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Operations } from '../api/operations.ts'
import { ago, bytes, count } from '../format.ts'
import { Scroll } from '../parts/scroll.tsx'
import { Shown } from '../parts/states.tsx'
import type { Polled } from '../parts/use-polled.ts'
import { DeleteRecords, type PartitionOfTopic } from './delete-records.tsx'

/** As many as one answer has at most. */
const pageSize = 1_000

export function Partitions({
  polled,
  total,
  from,
  onPage,
  topic,
  mayDelete,
}: {
  readonly polled: Polled<Operations['showPartitions']['answer']>
  readonly total: number
  /** The first partition of this page. */
  readonly from: number
  readonly onPage: (from: number) => void
  readonly topic: string
  /** As in Kafka, records of a topic that is only compacted are not deleted by offset. */
  readonly mayDelete: boolean
}): JSX.Element {
  const [shortened, setShortened] = useState<PartitionOfTopic | undefined>(undefined)
  return (
    <Shown polled={polled} what="the partitions">
      {({ partitions }) => (
        <>
          {shortened !== undefined && (
            <DeleteRecords
              topic={topic}
              partition={shortened}
              onClose={() => {
                setShortened(undefined)
                polled.refresh()
              }}
            />
          )}
          {partitions.length < total && (
            <nav class="pager" aria-label="Pages of partitions">
              <button type="button" disabled={from === 0} onClick={() => onPage(Math.max(0, from - pageSize))}>
                Previous
              </button>
              <p class="note" role="status">
                Partitions {count(from)} to {count(from + partitions.length - 1)} of {count(total)}
              </p>
              <button type="button" disabled={from + partitions.length >= total} onClick={() => onPage(from + partitions.length)}>
                Next
              </button>
            </nav>
          )}
          <Scroll label="Partitions">
            <table class="list">
              <thead>
                <tr>
                  <th scope="col">Partition</th>
                  <th scope="col" class="number">
                    Records
                  </th>
                  <th scope="col" class="number">
                    Start
                  </th>
                  <th scope="col" class="number">
                    End
                  </th>
                  <th scope="col" class="number">
                    Size
                  </th>
                  <th scope="col">Newest</th>
                  {mayDelete && (
                    <th scope="col">
                      <span class="unseen">Actions</span>
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {partitions.map((one) => {
                  const { partition, logStartOffset, highWatermark, lastStableOffset, bytes: size, newest } = one
                  return (
                    <tr key={partition}>
                      <td>{partition}</td>
                      <td class="number">{count(highWatermark - logStartOffset)}</td>
                      <td class="number">{count(logStartOffset)}</td>
                      <td class="number">
                        {count(highWatermark)}
                        {lastStableOffset < highWatermark && (
                          <>
                            {' '}
                            <span class="tag" title={`A transaction is open from offset ${lastStableOffset} on.`}>
                              open transaction
                            </span>
                          </>
                        )}
                      </td>
                      <td class="number">{bytes(size)}</td>
                      <td>{newest === null ? '–' : ago(newest, Date.now())}</td>
                      {mayDelete && (
                        <td class="number">
                          <button
                            type="button"
                            class="small"
                            disabled={highWatermark === logStartOffset}
                            aria-label={`Delete records of partition ${partition}`}
                            onClick={() => setShortened(one)}
                          >
                            Delete records
                          </button>
                        </td>
                      )}
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
    </Shown>
  )
}
