// The records that `--grep` selects: those whose key or value contains the text.
import { errorText } from '@local-kafka-service/agent/native-error'
import type { ConsumedRecord } from './consumed-record.ts'

export type RecordMatcher = (record: Pick<ConsumedRecord, 'key' | 'value'>) => boolean
export type ParsedFilter = { readonly kind: 'filter'; readonly keeps: RecordMatcher } | { readonly kind: 'wrong'; readonly why: string }

/** Plain text, compared byte by byte; or a regular expression between slashes, followed by flags: `/order-\d+/i`. */
export function parseFilter(text: string): ParsedFilter {
  const expression = /^\/(.+)\/([a-z]*)$/s.exec(text)
  if (expression === null) {
    const bytes = Buffer.from(text)
    return text === ''
      ? { kind: 'wrong', why: 'there is no text to look for' }
      : { kind: 'filter', keeps: ({ key, value }) => key?.includes(bytes) === true || value?.includes(bytes) === true }
  }
  try {
    const [, source = '', flags = ''] = expression
    // With g or y a RegExp keeps its last position.
    const pattern = new RegExp(source, flags.replaceAll(/[gy]/g, ''))
    const has = (bytes: Buffer | null): boolean => bytes !== null && pattern.test(bytes.toString())
    return { kind: 'filter', keeps: ({ key, value }) => has(key) || has(value) }
  } catch (error) {
    return { kind: 'wrong', why: errorText(error) }
  }
}
