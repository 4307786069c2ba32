// The form that creates a topic.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/states.tsx'
import { topicAddress } from '../route.ts'

export function CreateTopic({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [name, setName] = useState('')
  const [partitions, setPartitions] = useState(1)
  const [compacted, setCompacted] = useState(false)
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown }>({ busy: false })
  const create = async (): Promise<void> => {
    setState({ busy: true })
    try {
      await call('createTopic', { body: { name, partitions, ...(compacted && { config: { 'cleanup.policy': 'compact' } }) } })
      onClose()
      location.hash = topicAddress(name)
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <Dialog title="Create topic" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void create()
        }}
      >
        <label>
          Name
          <input
            required
            maxLength={249}
            pattern="[a-zA-Z0-9._\-]+"
            title="Letters, digits, dots, underscores and hyphens"
            autocomplete="off"
            spellcheck={false}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label>
          Partitions
          <input required type="number" min={1} value={partitions} onInput={(event) => setPartitions(event.currentTarget.valueAsNumber)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={compacted} onInput={(event) => setCompacted(event.currentTarget.checked)} />
          Compact: keep the last record of each key
        </label>
        {state.error !== undefined && <Failure error={state.error} />}
        <footer>
          <button type="submit" class="primary" disabled={state.busy}>
            {state.busy ? 'Creating…' : 'Create topic'}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
