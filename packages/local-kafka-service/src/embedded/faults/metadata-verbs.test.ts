// Each transaction of the server has a public verb, and each verb stands for a transaction.
import { expect, test } from 'vitest'
import { transactions } from '../../../../agent/src/metadata/transactions.ts'
import { metadataVerbs } from './metadata-verbs.ts'

test('faults know each transaction of the server by a public verb', () => {
  expect([...metadataVerbs].sort()).toEqual(Object.keys(transactions).sort())
})
