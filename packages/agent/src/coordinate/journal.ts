// The journal format of a classic group's changes: JSON, with bytes as base64.
import type { SavedChange } from '../core/group/classic-state.ts'
import { MetadataError } from '../metadata/metadata-store.ts'

/** Null removes the key. */
export function entryOf({ key, ...change }: SavedChange): { readonly key: string; readonly value: string | null } {
  const { kind, value } = change
  if (value === null) return { key, value: null }
  return { key, value: JSON.stringify(kind === 'group' ? { kind, value } : { kind, id: change.id, value }, asText) }
}

/** Throws a MetadataError for an entry that no version of this code has written. */
export function changeOf({ key, value }: { readonly key: string; readonly value: string }): SavedChange {
  const parsed: unknown = JSON.parse(value, asBytes)
  if (typeof parsed === 'object' && parsed !== null && 'kind' in parsed && typeof parsed.kind === 'string' && kinds.has(parsed.kind)) {
    // The cast: entryOf wrote the fields that belong to the kind; an entry of another shape has another kind.
    return { ...parsed, key, kept: 'journal' } as unknown as SavedChange
  }
  throw new MetadataError('invalid', `The journal of a group holds '${key}', which this version cannot read.`)
}

const kinds: ReadonlySet<string> = new Set<SavedChange['kind']>(['group', 'member', 'assignment'])
const bytesKey = '$bytes'

function asText(_key: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return { [bytesKey]: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  // JSON.stringify has already converted a Buffer to this shape.
  if (isBufferJson(value)) return { [bytesKey]: Buffer.from(value.data).toString('base64') }
  return value
}

function asBytes(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(bytesKey in value) || typeof value[bytesKey] !== 'string') return value
  return new Uint8Array(Buffer.from(value[bytesKey], 'base64'))
}

function isBufferJson(value: unknown): value is { readonly data: readonly number[] } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    value.type === 'Buffer' &&
    'data' in value &&
    Array.isArray(value.data)
  )
}
