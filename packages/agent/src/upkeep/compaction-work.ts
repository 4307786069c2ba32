// Where the work of a pass of log compaction runs: on the event loop, in turns, or in a thread of its own.
import { PassSteps, type StepInput, type StepName, type StepOutput } from '../core/log/compaction/pass-steps.ts'
import type { BatchReaders } from '../core/log/validate.ts'
import { fixedLimits } from '../limits.ts'
import { finished, type Turns } from '../time/turns.ts'

/** One step at a time. */
export interface CompactionWork {
  /** The caller must not use the bytes of the input again. Rejects as the step throws; a thread rejects with a CompactionThreadError if it ended before its answer. */
  step<Name extends StepName>(name: Name, input: StepInput<Name>): Promise<StepOutput<Name>>
  /** Resolves when the memory of the work is given back: the next job that needs as much begins after it. */
  end(): Promise<void>
}

export interface WorkOptions {
  /** A segment of several batches is at most so large. */
  readonly segmentBytes: number
}

/** Work outside the event loop. The simulator has none. */
export type RemoteCompaction = (options: WorkOptions) => CompactionWork

/** The thread of a pass has ended, which says nothing about the log: a later pass begins again. A defect of this server, or no memory for the thread. */
export class CompactionThreadError extends Error {
  override readonly name = 'CompactionThreadError'
}

export function workInTurns(parts: BatchReaders & { readonly turns: Turns }, { segmentBytes }: WorkOptions): CompactionWork {
  const { codecs, crc32c, turns } = parts
  const steps = new PassSteps({ codecs, crc32c, segmentBytes })
  return {
    step: (name, input) => finished(steps.run(name, input), turns, fixedLimits.compactedBytesPerUnit),
    end: async () => steps.end(),
  }
}
