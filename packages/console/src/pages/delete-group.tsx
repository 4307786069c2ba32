// The question before a group is deleted.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/states.tsx'

export function DeleteGroup({ group, onClose }: { readonly group: string; readonly onClose: () => void }): JSX.Element {
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown }>({ busy: false })
  const remove = async (): Promise<void> => {
    setState({ busy: true })
    try {
      await call('deleteGroup', { params: { group } })
      onClose()
      location.hash = '#/groups'
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <Dialog title={`Delete ${group}?`} onClose={onClose}>
      <p>
        Its committed offsets go with it. A consumer that joins the group later begins where its client's auto.offset.reset says. No record
        is deleted.
      </p>
      {state.error !== undefined && <Failure error={state.error} />}
      <footer>
        <button type="button" class="danger" disabled={state.busy} onClick={() => void remove()}>
          {state.busy ? 'Deleting…' : 'Delete group'}
        </button>
      </footer>
    </Dialog>
  )
}
