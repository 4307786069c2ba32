// The globals of time, saved when this module loads. A test that fakes them later does not stop a server in its process. In the bundle all code, libraries
// too, imports them from here (rolldown.config.ts); from source, libraries use the globals as a test has changed them.

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
// It needs no `this`. It is destructured because the bundle would replace `process.nextTick` with an import from here.
// oxlint-disable-next-line typescript/unbound-method
export const { nextTick }: Pick<NodeJS.Process, 'nextTick'> = process
/** Milliseconds since the epoch. */
export const wallNow: () => number = Date.now
/** Milliseconds on a clock that never goes back. */
export const monotonic: () => number = performance.now.bind(performance)
