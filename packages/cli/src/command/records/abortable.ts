// The lines of an input until a signal aborts.
import { orAborted } from '@local-kafka-service/agent/abort'

/** The input until its end or until the signal aborts; the rest stays unread. */
export async function* untilAborted<T>(input: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const steps = input[Symbol.asyncIterator]()
  while (!signal.aborted) {
    const step = await orAborted(steps.next(), signal, () => 'aborted' as const)
    if (step === 'aborted' || step.done === true) return
    yield step.value
  }
}
