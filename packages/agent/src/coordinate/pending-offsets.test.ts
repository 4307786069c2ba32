// Offsets of transactions and offsets of commits without one, in one save of a group: the one that was sent later counts.
import { expect, test } from 'vitest'
import { aCoordinator, at, turn } from './testing/a-coordinator.ts'

/** The commit of a client that is in no group. */
const simple = { kind: 'commit', version: 8, transactional: false, memberId: '', groupInstanceId: null, generation: -1 } as const

test('a pending offset that a later commit in the same save overwrites is stored as overwritten', async () => {
  const gate = Promise.withResolvers<void>()
  const saved: (readonly [partition: number, isOverwritten: boolean | undefined])[] = []
  const { groups, topicId } = await aCoordinator({
    async save(save, input) {
      if (input.version === 0) await gate.promise
      saved.push(...input.pendingOffsets.map(({ partition, isOverwritten }) => [partition, isOverwritten] as const))
      return await save(input)
    },
  })
  const first = groups.commit('g', simple, [at(topicId, 3, 1)])
  await turn()
  const ofTransaction = { transactionalId: 'id', producerId: 7, producerEpoch: 0, transactionNumber: 1 }
  const pending = [0, 1].map((partition) => ({ ...at(topicId, partition, 10), ...ofTransaction }))
  const others = [
    groups.commit('g', simple, [at(topicId, 1, 2)]),
    groups.commitPendingInSteps('g', simple, pending),
    groups.commit('g', simple, [at(topicId, 0, 3)]),
  ]
  await turn()
  gate.resolve()
  await Promise.all([first, ...others])
  expect(saved).toEqual([
    [0, true],
    [1, undefined],
  ])
})

test('a commit that still waits when its connection ends changes nothing: its client may have sent newer ones on another connection', async () => {
  const { groups, topicId } = await aCoordinator()
  const ended = new AbortController()
  const ofTransaction = { transactionalId: 'id', producerId: 7, producerEpoch: 0, transactionNumber: 1 }
  const late = [
    groups.commit('g', simple, [at(topicId, 0, 1)], ended.signal),
    groups.commitPendingInSteps('g', simple, [{ ...at(topicId, 0, 1), ...ofTransaction }], ended.signal),
  ]
  const newer = groups.commit('g', simple, [at(topicId, 0, 2)], new AbortController().signal)
  // All three wait for the group to be loaded.
  ended.abort()
  for (const one of late) await expect(one).rejects.toMatchObject({ code: 15 })
  expect(await newer).toBe('NONE')
  expect(await groups.offsets('g')).toMatchObject([{ partition: 0, offset: 2 }])
})
