// The deletion of the oldest records of a partition.
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import type { Operations } from '../api/operations.ts'
import { plural } from '../format.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Failure } from '../parts/states.tsx'

export type PartitionOfTopic = Operations['showPartitions']['answer']['partitions'][number]

interface DeleteRecordsProps {
  readonly topic: string
  readonly partition: PartitionOfTopic
  readonly onClose: () => void
}

export function DeleteRecords({
  topic,
  partition: { partition, logStartOffset, highWatermark },
  onClose,
}: DeleteRecordsProps): JSX.Element {
  const [before, setBefore] = useState(highWatermark)
  const [state, setState] = useState<{ readonly busy: boolean; readonly error?: unknown }>({ busy: false })
  const remove = async (): Promise<void> => {
    setState({ busy: true })
    try {
      await call('deleteRecords', { params: { topic }, body: { partition, beforeOffset: before } })
      onClose()
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <Dialog title={`Delete records of partition ${partition}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void remove()
        }}
      >
        <label>
          Before offset
          <input
            type="number"
            required
            min={logStartOffset}
            max={highWatermark}
            value={before}
            onInput={(event) => setBefore(event.currentTarget.valueAsNumber)}
          />
        </label>
        <p>
          {plural(Math.max(0, (before || 0) - logStartOffset), 'offset')} of {plural(highWatermark - logStartOffset, 'offset')} go. This
          cannot be undone.
        </p>
        {state.error !== undefined && <Failure error={state.error} />}
        <footer>
          <button type="submit" class="danger" disabled={state.busy || !(before > logStartOffset)}>
            {state.busy ? 'Deleting…' : 'Delete records'}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
