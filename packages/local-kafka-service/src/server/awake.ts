// Keeps the process alive while something is waited for: the server's own timers never do, and an embedded one's sockets neither.

// Taken as the module loads, so that faked timers do not let the process go in the middle of a wait.
const { setInterval, clearInterval } = globalThis

export async function awake<T>(work: Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    return await work
  } finally {
    clearInterval(alive)
  }
}
