// The worker thread of compaction-thread.ts: it runs the steps of one pass, one after another.
import { parentPort, workerData } from 'node:worker_threads'
import { nativeCrc32c, nodeCodecs } from './codecs.ts'
import { PassSteps } from './core/log/compaction/pass-steps.ts'
import type { FromCompactionThread, ToCompactionThread } from './upkeep/compaction-thread.ts'
import type { WorkOptions } from './upkeep/compaction-work.ts'

const port = parentPort
if (port === null) throw new Error('compaction-worker.ts runs as a worker thread')

const { segmentBytes } = workerData as WorkOptions
const steps = new PassSteps({ codecs: nodeCodecs, crc32c: nativeCrc32c, segmentBytes })

/** An error ends the thread. */
port.on('message', ({ name, input }: ToCompactionThread) => {
  const output = ran(steps.run(name, input))
  // The collector would free the bytes of the segment some time later.
  if ('bytes' in input) (input.bytes.buffer as ArrayBuffer).transfer(0)
  port.postMessage(output, typeof output === 'object' && 'pieces' in output ? output.pieces.map(({ buffer }) => buffer) : [])
})

function ran(generator: Generator<number, FromCompactionThread>): FromCompactionThread {
  for (let step = generator.next(); ; step = generator.next()) if (step.done === true) return step.value
}
