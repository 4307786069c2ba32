// The strings that are valid keys: relative, portable to every file system and every S3, and unable to leave the store's prefix.
import { ObjectStoreError } from './object-store.ts'

/** One part between slashes: names that Windows, macOS, Linux and every S3 store unchanged. ASCII only, so text order is byte order. */
const part = /^[A-Za-z0-9_=-](?:[A-Za-z0-9._=-]{0,253}[A-Za-z0-9_=-])?$/
const longestKey = 900

export function isKey(key: string): boolean {
  return key.length <= longestKey && key.split('/').every((name) => part.test(name))
}

/** Throws 'invalid' for a string that is not a valid key: empty or dotted parts, other characters, a leading or trailing slash, or over 900 bytes. */
export function checkKey(key: string): void {
  if (!isKey(key)) throw new ObjectStoreError('invalid', 'no', `${JSON.stringify(key)} is not a valid key`)
}

/** Throws 'invalid' for a prefix that no key can have. The empty prefix selects all keys; a prefix may end in the middle of a part. */
export function checkPrefix(prefix: string): void {
  if (prefix === '') return
  checkKey(prefix.endsWith('/') ? `${prefix}x` : prefix.endsWith('.') ? `${prefix}x` : prefix)
}
