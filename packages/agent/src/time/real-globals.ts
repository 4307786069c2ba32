// The globals of time as they were when this was loaded. A test that fakes them afterwards does not stop a server that runs in its process. The bundle takes
// them from here for everything in it, libraries too (rolldown.config.ts); from source, libraries meet whatever a test has made of them.

export const {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
  queueMicrotask,
}: Pick<
  typeof globalThis,
  'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'setImmediate' | 'clearImmediate' | 'queueMicrotask'
> = globalThis
// It asks for no `this`, and it is taken apart because the bundle would replace `process.nextTick` by an import from here.
// oxlint-disable-next-line typescript/unbound-method
export const { nextTick }: Pick<NodeJS.Process, 'nextTick'> = process
/** Milliseconds since the epoch. */
export const wallNow: () => number = Date.now
/** Milliseconds on a clock that never goes back. */
export const monotonic: () => number = performance.now.bind(performance)
