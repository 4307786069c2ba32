// Errors of the client library are recognised by their content.
import { MultipleErrors, ProtocolError } from '@platformatic/kafka'
import { expect, test } from 'vitest'
import { hasApiError } from './client-errors.ts'

test('the answer of the cluster is found in any wrapper of the library', () => {
  const moved = new ProtocolError('NOT_LEADER_OR_FOLLOWER')
  const wrapped = [moved, new MultipleErrors('Fetching failed.', [new Error('first'), moved]), new Error('outer', { cause: moved })]
  for (const error of wrapped) {
    expect(hasApiError(error, 'OFFSET_OUT_OF_RANGE', 'NOT_LEADER_OR_FOLLOWER')).toBe(true)
    expect(hasApiError(error, 'OFFSET_OUT_OF_RANGE')).toBe(false)
  }
  for (const other of [new Error('NOT_LEADER_OR_FOLLOWER'), undefined, 'NOT_LEADER_OR_FOLLOWER']) {
    expect(hasApiError(other, 'NOT_LEADER_OR_FOLLOWER')).toBe(false)
  }
})
