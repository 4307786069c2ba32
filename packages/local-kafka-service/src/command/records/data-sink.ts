// Where records are printed: bytes as they are, gathered into large writes, and no faster than the reader takes them.
import type { Terminal } from '../client-command.ts'
import { orAborted } from './abortable.ts'

export class DataSink {
  readonly #stream: Terminal['data']
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(stream: Terminal['data']) {
    this.#stream = stream
  }

  /** Nothing is copied: the pieces must not change until they are flushed. */
  add(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.#bytes += piece.length
    }
  }

  /** There is enough for a write. */
  get isFull(): boolean {
    return this.#bytes >= writeBytes
  }

  /**
   * Settles when the reader has taken it. When the signal aborts before, a little longer is waited, so that what is out is known to be; then it
   * rejects. Never settles when it cannot be written, as when the reader has gone: the terminal ends the process then, and nothing more may be
   * taken for printed.
   */
  async flush(signal: AbortSignal): Promise<void> {
    if (this.#bytes === 0) return
    const bytes = Buffer.concat(this.#pieces, this.#bytes)
    this.#pieces = []
    this.#bytes = 0
    const written = new Promise<void>((resolve) => {
      this.#stream.write(bytes, (error) => {
        if (error === null || error === undefined) resolve()
      })
    })
    if ((await orAborted(written, signal)) !== 'aborted') return
    if ((await orAborted(written, AbortSignal.timeout(graceMs))) === 'aborted') throw signal.reason
  }
}

/** After Ctrl-C, for a reader that is only slow. */
const graceMs = 500
const writeBytes = 256 * 1024
