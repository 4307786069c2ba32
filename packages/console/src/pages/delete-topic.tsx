// The question before a topic is deleted, and the way back after it.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/states.tsx'
import { topicAddress } from '../route.ts'

export function DeleteTopic({
  topic,
  records,
  onClose,
}: {
  readonly topic: string
  readonly records: string | undefined
  readonly onClose: () => void
}): JSX.Element {
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown; readonly deletedId?: string }>({ busy: false })
  const deleted = state.deletedId
  const attempt = async (action: () => Promise<void>): Promise<void> => {
    setState((before) => ({ ...before, busy: true }))
    try {
      await action()
    } catch (error) {
      setState((before) => ({ ...before, busy: false, error }))
    }
  }
  const remove = (): Promise<void> =>
    attempt(async () => {
      const { id } = await call('deleteTopic', { params: { topic } })
      setState({ busy: false, deletedId: id })
    })
  const undelete = (id: string): Promise<void> =>
    attempt(async () => {
      await call('undeleteTopic', { params: { id } })
      onClose()
      location.hash = topicAddress(topic)
    })
  const close = (): void => {
    onClose()
    if (deleted !== undefined) location.hash = '#/'
  }
  return (
    <Dialog title={deleted === undefined ? `Delete ${topic}?` : `${topic} is deleted`} onClose={close}>
      {deleted === undefined ? (
        <p>
          {records === undefined ? 'All its records' : `All its ${records} records`} go with it, and so do the offsets that groups have
          committed. The topic can be brought back for a day, without those offsets.
        </p>
      ) : (
        <p>It can be brought back with its records for a day, while no other topic has its name.</p>
      )}
      {state.error !== undefined && <Failure error={state.error} />}
      <footer>
        {deleted === undefined ? (
          <button type="button" class="danger" disabled={state.busy} onClick={() => void remove()}>
            {state.busy ? 'Deleting…' : 'Delete topic'}
          </button>
        ) : (
          <>
            <button type="button" disabled={state.busy} onClick={() => void undelete(deleted)}>
              Bring it back
            </button>
            <button type="button" class="primary" onClick={close}>
              Done
            </button>
          </>
        )}
      </footer>
    </Dialog>
  )
}
