// A socket without a network: a test plays the client, which may stop reading.
import type { Socket } from '../network.ts'

export class FakeSocket implements Socket {
  readonly remote = { host: '10.0.0.9', port: 50_000 }
  readonly local = { host: '127.0.0.1', port: 9092 }
  readonly written: Uint8Array[] = []
  state: 'open' | 'ended' | 'destroyed' = 'open'
  paused = false
  /** While false, written bytes stay pending. */
  taking = true
  pendingBytes = 0

  write(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) {
      this.written.push(chunk)
      if (!this.taking) this.pendingBytes += chunk.length
    }
    return this.taking
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  end(): void {
    this.state = 'ended'
  }

  destroy(): void {
    this.state = 'destroyed'
  }

  /** All written bytes, as one text. */
  get text(): string {
    return Buffer.concat(this.written).toString('latin1')
  }
}
