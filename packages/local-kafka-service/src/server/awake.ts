// Keeps the process alive during a wait: neither the server's timers nor an embedded server's sockets do.

// Captured when the module loads, so that faked timers cannot let the process end during a wait.
const { setInterval, clearInterval } = globalThis

export async function awake<T>(work: Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 2 ** 30)
  try {
    return await work
  } finally {
    clearInterval(alive)
  }
}
