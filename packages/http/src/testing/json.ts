// The answers of the API, in a form for tests.
import type { RecordJson } from '../record-json.ts'

/** Every member of any answer; a test expects the ones of its answer. */
export interface JsonAnswer {
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

export async function json<T = JsonAnswer>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T
}
