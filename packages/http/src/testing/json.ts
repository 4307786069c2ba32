// What the API answers, as tests look at it.
import type { RecordJson } from '../record-json.ts'

/** Every member that any answer has: which of them are there is what a test expects. */
export interface Answer {
  readonly id: string
  readonly name: string
  readonly offset: number
  readonly key: string | null
  readonly keyEncoding?: 'base64'
  readonly timestamp: number
  readonly next: number
  readonly complete: boolean
  readonly cursor: string | null
  readonly scanned: readonly object[]
  readonly records: readonly RecordJson[]
  readonly unreadable: readonly object[]
  readonly topics: readonly { readonly name: string }[]
  readonly effectiveConfig: readonly object[]
  readonly reasons: readonly string[]
  readonly error: string
  readonly message: string
  readonly request_id: string
}

export async function json<T = Answer>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T
}
