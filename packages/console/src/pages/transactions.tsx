// The transactional ids with the state of their newest transaction; one that hangs can be aborted.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { ago, count, duration, plural } from '../format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Scroll } from '../parts/scroll.tsx'
import { Empty, Failure, Shown } from '../parts/states.tsx'
import { usePolled } from '../parts/use-polled.ts'

const everyMs = 2_000
/** A longer list has the open ones first. */
const mostRows = 500

export function Transactions(): JSX.Element {
  const shown = usePolled('transactions', (signal) => call('listTransactions', { signal }), everyMs)
  const [aborting, setAborting] = useState<string | undefined>(undefined)
  return (
    <>
      {aborting !== undefined && (
        <AbortTransaction
          id={aborting}
          onClose={() => {
            setAborting(undefined)
            shown.refresh()
          }}
        />
      )}
      <Shown polled={shown} what="the transactions">
        {({ transactions }) =>
          transactions.length === 0 ? (
            <Empty title="No transaction yet">
              <p>
                A producer with a transactional id appears here. While its transaction is open, consumers of committed records wait at its
                first record.
              </p>
            </Empty>
          ) : (
            <section>
              <h2>{plural(transactions.length, 'transactional id')}</h2>
              <p class="note">
                Consumers of committed records wait at the first record of an open transaction. The server aborts it after the time-out of
                its producer.
              </p>
              {transactions.length > mostRows && <p class="note">Of these, {count(mostRows)} are shown.</p>}
              <Scroll label="Transactions">
                <table class="list">
                  <thead>
                    <tr>
                      <th scope="col">Transactional id</th>
                      <th scope="col">State</th>
                      <th scope="col">Open since</th>
                      <th scope="col">Time-out</th>
                      <th scope="col" class="number">
                        Producer
                      </th>
                      <th scope="col">
                        <span class="unseen">Actions</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {openFirst(transactions)
                      .slice(0, mostRows)
                      .map(({ transactionalId, state, startedAt, timeoutMs, producerId, producerEpoch }) => (
                        <tr key={transactionalId}>
                          <td class="code">{transactionalId}</td>
                          <td>
                            <span class={`tag ${startedAt === null ? '' : 'good'}`}>{state}</span>
                          </td>
                          <td>{startedAt === null ? '–' : ago(Date.parse(startedAt), Date.now())}</td>
                          <td>{duration(timeoutMs) ?? `${timeoutMs} ms`}</td>
                          <td class="number" title="id and epoch">
                            {producerId}:{producerEpoch}
                          </td>
                          <td class="number">
                            <button
                              type="button"
                              class="small"
                              disabled={startedAt === null}
                              aria-label={`Abort the transaction of ${transactionalId}`}
                              onClick={() => setAborting(transactionalId)}
                            >
                              Abort
                            </button>
                          </td>
                        </tr>
                      ))}
                  </tbody>
                </table>
              </Scroll>
            </section>
          )
        }
      </Shown>
    </>
  )
}

type Listed = Awaited<ReturnType<typeof call<'listTransactions'>>>['transactions']

function openFirst(transactions: Listed): Listed {
  return transactions.toSorted((a, b) => Number(a.startedAt === null) - Number(b.startedAt === null))
}

function AbortTransaction({ id, onClose }: { readonly id: string; readonly onClose: () => void }): JSX.Element {
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown }>({ busy: false })
  const abort = async (): Promise<void> => {
    setState({ busy: true })
    try {
      await call('abortTransaction', { params: { id } })
      onClose()
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <Dialog title={`Abort the transaction of ${id}?`} onClose={onClose}>
      <p>Consumers of committed records never see its records, and its offsets are dropped. Its producer has to begin again.</p>
      {state.error !== undefined && <Failure error={state.error} />}
      <footer>
        <button type="button" class="danger" disabled={state.busy} onClick={() => void abort()}>
          {state.busy ? 'Aborting…' : 'Abort the transaction'}
        </button>
      </footer>
    </Dialog>
  )
}
