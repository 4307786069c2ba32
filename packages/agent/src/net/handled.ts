// What a handled request gives its connection: an answer now or later, none, or the end.
import type { ClosingCause } from '../observe/events.ts'

/** Why a connection closes. */
export interface Closing {
  readonly cause: ClosingCause
  readonly reason: string
}

export type Handled =
  | { readonly kind: 'now'; readonly answer: Answer }
  /** Never rejects. */
  | { readonly kind: 'later'; readonly answer: Promise<Answer> }
  /** The request gets no answer. If `close` is true, the connection is closed. */
  | { readonly kind: 'none'; readonly close: Promise<boolean> | boolean }
  | { readonly kind: 'close'; readonly cause: ClosingCause; readonly reason: string }

export interface Answer {
  readonly chunks: readonly Uint8Array[]
  readonly sizeBytes: number
  /** The connection is closed after this answer: no later request is answered. */
  readonly thenClose: boolean
  /** The time after this answer in which the connection takes no request (KIP-219). */
  readonly throttleMs: number
  /** Called once, when the operating system has the bytes or can never get them. */
  readonly sent?: () => void
}
