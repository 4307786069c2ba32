// The thread of one pass of log compaction: the event loop only reads the segments and stores what is left of them.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { StepInput, StepName, StepOutput } from '../core/log/compaction/pass-steps.ts'
import { fixedLimits } from '../limits.ts'
import { CompactionThreadError, type CompactionWork, type WorkOptions } from './compaction-work.ts'

/** The memory of the bytes in the input belongs to the thread, and that of those in the output to the event loop. */
export interface ToCompactionThread {
  readonly name: StepName
  readonly input: StepInput<StepName>
}

export type FromCompactionThread = StepOutput<StepName>

export function compactionThread(workerData: WorkOptions, file: URL = ownFile()): CompactionWork {
  // It does not inherit the process's own flags: a program from `node -e`, or a custom loader, would break it. From source it needs the conditions.
  const worker = new Worker(file, {
    name: 'lks compaction',
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: fixedLimits.compactionThreadYoungMb },
    ...(file.pathname.endsWith('.ts') ? {} : { execArgv: [] }),
  })
  let pending: PromiseWithResolvers<FromCompactionThread> | undefined
  let why: string | undefined
  worker.on('message', (output: FromCompactionThread) => {
    pending?.resolve(output)
    pending = undefined
  })
  worker.on('error', (error) => {
    why = `The thread of log compaction failed: ${String(error)}`
  })
  worker.on('exit', () => {
    why ??= 'The thread of log compaction ended.'
    pending?.reject(new CompactionThreadError(why))
    pending = undefined
  })
  // This comes last: listening for messages refs the process again.
  worker.unref()
  return {
    async step<Name extends StepName>(name: Name, input: StepInput<Name>): Promise<StepOutput<Name>> {
      if (why !== undefined) throw new CompactionThreadError(why)
      const answer = Promise.withResolvers<FromCompactionThread>()
      pending = answer
      const message: ToCompactionThread = { name, input }
      worker.postMessage(message, 'bytes' in input ? [input.bytes.buffer as ArrayBuffer] : [])
      // The thread answers a step with its output.
      return (await answer.promise) as StepOutput<Name>
    },
    end: async () => void (await worker.terminate()),
  }
}

function ownFile(): URL {
  return pathToFileURL(createRequire(import.meta.url).resolve('#compaction-worker'))
}
