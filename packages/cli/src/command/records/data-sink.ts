// The output of records: raw bytes, gathered into large writes, no faster than the reader accepts them.
import { orAborted } from '@local-kafka-service/agent/abort'
import type { Terminal } from '../client-command.ts'

export class DataSink {
  readonly #stream: Terminal['data']
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(stream: Terminal['data']) {
    this.#stream = stream
  }

  /** Does not copy: the chunks must not change until they are flushed. */
  add(pieces: readonly Buffer[]): void {
    for (const piece of pieces) {
      this.#pieces.push(piece)
      this.#bytes += piece.length
    }
  }

  /** True when there is enough for one write. */
  get isFull(): boolean {
    return this.#bytes >= writeBytes
  }

  /**
   * Settles when the reader has taken the bytes. If the signal aborts first, it waits a little longer to learn what was written, and then
   * rejects. It never settles when the output cannot be written, for example because the reader has gone: the terminal then ends the process, and
   * no further record may count as printed.
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
    if ((await orAborted(written, signal, aborted)) !== 'aborted') return
    if ((await orAborted(written, AbortSignal.timeout(graceMs), aborted)) === 'aborted') throw signal.reason
  }
}

/** After Ctrl-C, for a slow reader. */
const graceMs = 500
const writeBytes = 256 * 1024

function aborted(): 'aborted' {
  return 'aborted'
}
