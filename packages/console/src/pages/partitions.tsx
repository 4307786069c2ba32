// The partitions of a topic: the offsets and the size of each.
import type { JSX } from 'preact'
import type { Operations } from '../api/operations.ts'
import { ago, bytes, count } from '../format.ts'
import { Scroll } from '../parts/scroll.tsx'
import { Shown } from '../parts/states.tsx'
import type { Polled } from '../parts/use-polled.ts'

export function Partitions({
  polled,
  total,
}: {
  readonly polled: Polled<Operations['showPartitions']['answer']>
  readonly total: number
  readonly topic: string
}): JSX.Element {
  return (
    <Shown polled={polled} what="the partitions">
      {({ partitions }) => (
        <>
          {partitions.length < total && (
            <p class="note">
              The first {count(partitions.length)} of {count(total)} partitions.
            </p>
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
                </tr>
              </thead>
              <tbody>
                {partitions.map(({ partition, logStartOffset, highWatermark, lastStableOffset, bytes: size, newest }) => (
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
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
        </>
      )}
    </Shown>
  )
}
