// Transactional producers: InitProducerId, AddPartitionsToTxn, Produce and EndTxn, in each state and with epochs and ids that are not the present ones.
import {
  AddPartitionsToTxn,
  DescribeTransactions,
  EndTxn,
  InitProducerId,
  type InitProducerIdRequest,
  Produce,
} from '@local-kafka-service/protocol'
import type { Conversation } from '../conversation.ts'
import { type RequestRow, rowsOf } from '../row.ts'
import {
  added,
  adding,
  ended,
  endedAsBefore,
  groupAdded,
  others,
  type Producer,
  producerOf,
  producing,
  settled,
  thirdProducer,
  timeoutMs,
  transactionTopic,
  unknownTransactionalId,
  written,
} from './transaction-parts.ts'

const initRows = rowsOf(InitProducerId, (row) => {
  const inits = async (with_: Conversation, more: Partial<InitProducerIdRequest> = {}): Promise<void> => {
    await with_.send(InitProducerId, { transactionalId: with_.name('tx'), transactionTimeoutMs: timeoutMs, ...more })
  }
  const initsAs = async (with_: Conversation, { producerId, producerEpoch }: Producer): Promise<void> =>
    await inits(with_, { producerId, producerEpoch })

  row('a new transactional id, and again', async (with_) => {
    await inits(with_)
    await inits(with_)
  })
  for (const transactionTimeoutMs of [0, -1, 900_000, 900_001])
    row(`a transactional id with a time-out of ${transactionTimeoutMs}`, async (with_) => await inits(with_, { transactionTimeoutMs }))
  row(
    'with the present epoch',
    async (with_) => {
      await initsAs(with_, await producerOf(with_))
      await inits(with_)
    },
    { versions: '3+' },
  )
  row(
    'with the last epoch, whose answer was lost',
    async (with_) => {
      const first = await producerOf(with_)
      await initsAs(with_, first)
      await initsAs(with_, first)
    },
    { versions: '3+' },
  )
  for (const [words, of] of others)
    row(
      `with ${words}`,
      async (with_) => {
        const { transactionalId, ...other } = of(await thirdProducer(with_))
        await inits(with_, { ...other, transactionalId })
      },
      { versions: '3+' },
    )
  for (const committed of [true, false]) {
    const words = committed ? 'commit' : 'abort'
    row(`after a ${words} by EndTxn 4`, async (with_) => {
      const producer = await producerOf(with_)
      await added(with_, producer, await transactionTopic(with_))
      await endedAsBefore(with_, producer, committed)
      await inits(with_)
    })
    row(
      `with the present epoch, after a ${words} by EndTxn 5, and then with the last`,
      async (with_) => {
        const producer = await producerOf(with_)
        await added(with_, producer, await transactionTopic(with_))
        await initsAs(with_, await ended(with_, producer, committed))
        await initsAs(with_, producer)
      },
      { versions: '3+' },
    )
  }
  row(
    'over an open transaction, and again',
    async (with_) => {
      const producer = await producerOf(with_)
      await added(with_, producer, await transactionTopic(with_))
      await inits(with_)
      await settled(with_, producer)
      await inits(with_)
    },
    { differs: ['init-producer-id-open'] },
  )
  row(
    'with another epoch over an open transaction',
    async (with_) => {
      const producer = await thirdProducer(with_)
      await added(with_, producer, await transactionTopic(with_))
      await initsAs(with_, { ...producer, producerEpoch: 0 })
      await settled(with_, producer)
      await with_.send(EndTxn, { ...producer, committed: true }, { version: 4 })
    },
    { versions: '3+', differs: ['init-producer-id-zombie'] },
  )
})

const partitionRows = rowsOf(AddPartitionsToTxn, (row) => {
  const adds = async (
    with_: Conversation,
    producer: Producer,
    topics: readonly (readonly [name: string, partitions: readonly number[]])[],
    verifyOnly = false,
  ): Promise<void> => {
    const transactions = [{ ...producer, verifyOnly, topics: topics.map(([name, partitions]) => ({ name, partitions })) }]
    await with_.send(AddPartitionsToTxn, with_.version < 4 ? adding(producer, topics) : { transactions })
  }
  row('a partition, again, and others', async (with_) => {
    const name = await with_.topic('a', { partitions: 3 })
    const producer = await producerOf(with_)
    await adds(with_, producer, [[name, [0]]])
    await adds(with_, producer, [[name, [0]]])
    await adds(with_, producer, [[name, [2, 1]]])
  })
  row('partitions and topics that are not there, beside one that is', async (with_) => {
    const name = await with_.topic()
    await adds(with_, await producerOf(with_), [
      [name, [0, 1]],
      [with_.name('missing'), [0]],
    ])
  })
  row('no topics', async (with_) => await adds(with_, await producerOf(with_), []))
  row('the empty transactional id', async (with_) => {
    await adds(with_, { ...(await producerOf(with_)), transactionalId: '' }, [[await with_.topic(), [0]]])
  })
  for (const [words, of] of others)
    row(words, async (with_) => await adds(with_, of(await thirdProducer(with_)), [[await with_.topic(), [0]]]))
  row('after a commit by EndTxn 4', async (with_) => {
    const [name, producer] = [await with_.topic(), await producerOf(with_)]
    await added(with_, producer, name)
    await endedAsBefore(with_, producer, true)
    await adds(with_, producer, [[name, [0]]])
  })
  row('the last epoch, after a commit by EndTxn 5', async (with_) => {
    const [name, producer] = [await with_.topic(), await producerOf(with_)]
    await added(with_, producer, name)
    await ended(with_, producer, true)
    await adds(with_, producer, [[name, [0]]])
  })
  row(
    'only verified: before, in and after a transaction',
    async (with_) => {
      const name = await with_.topic('a', { partitions: 2 })
      const producer = await producerOf(with_)
      await adds(with_, producer, [[name, [0]]], true)
      await added(with_, producer, name)
      await adds(with_, producer, [[name, [0]]], true)
      await adds(with_, producer, [[name, [0, 1]]], true)
      await endedAsBefore(with_, producer, true)
      await adds(with_, producer, [[name, [0]]], true)
    },
    { versions: '4+' },
  )
  for (const [words, of] of others)
    row(
      `only verified: ${words}`,
      async (with_) => {
        const [name, producer] = [await with_.topic(), await thirdProducer(with_)]
        await added(with_, producer, name)
        await adds(with_, of(producer), [[name, [0]]], true)
      },
      { versions: '4+' },
    )
})

const produceRows = rowsOf(
  Produce,
  (row) => {
    row('in a transaction that has the partition', async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await added(with_, producer, name)
      await with_.send(Produce, producing(with_, producer, { name }))
      await with_.send(Produce, producing(with_, producer, { name, baseSequence: 1 }))
      await with_.send(Produce, producing(with_, producer, { name, baseSequence: 5 }))
    })
    row('in no transaction', async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await with_.send(Produce, producing(with_, producer, { name }))
    })
    row('in a transaction that has another partition', async (with_) => {
      const [name, producer] = [await transactionTopic(with_, 2), await producerOf(with_)]
      await added(with_, producer, name)
      await with_.send(Produce, producing(with_, producer, { name, partitions: [0, 1] }))
    })
    for (const isOpen of [false, true]) {
      for (const [words, of] of others)
        row(`${words}, ${isOpen ? 'in a transaction that has the partition' : 'in no transaction'}`, async (with_) => {
          const [name, producer] = [await transactionTopic(with_), await thirdProducer(with_)]
          if (isOpen) await added(with_, producer, name)
          await with_.send(Produce, producing(with_, of(producer), { name }))
        })
    }
    for (const [words, of] of others)
      row(
        `${words}, to a partition that has records of the transaction`,
        async (with_) => {
          const [name, producer] = [await transactionTopic(with_), await thirdProducer(with_)]
          await written(with_, producer, name)
          await with_.send(Produce, producing(with_, of(producer), { name, baseSequence: 1 }))
        },
        { differs: words === unknownTransactionalId ? ['produce-other-transactional-id'] : [] },
      )
    row('the empty transactional id, in a transaction that has the partition', async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await added(with_, producer, name)
      await with_.send(Produce, producing(with_, producer, { name, requestOf: '' }))
    })
    row('without the transactional id, in a transaction that has the partition', async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await added(with_, producer, name)
      await with_.send(Produce, producing(with_, producer, { name, requestOf: null }))
    })
    row('a batch without a transaction, of a producer whose transaction has the partition', async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await added(with_, producer, name)
      await with_.send(Produce, producing(with_, producer, { name, isTransactional: false }))
    })
    row('a batch without a transaction, of a producer whose transaction has records in the partition', async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await written(with_, producer, name)
      await with_.send(Produce, producing(with_, producer, { name, isTransactional: false, baseSequence: 1 }))
    })
    row('a batch without a transaction, in a request with a transactional id', async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await with_.send(Produce, producing(with_, producer, { name, isTransactional: false }))
    })
    for (const committed of [true, false]) {
      const words = committed ? 'commit' : 'abort'
      row(`after a ${words} by EndTxn 4`, async (with_) => {
        const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
        await written(with_, producer, name)
        await endedAsBefore(with_, producer, committed)
        await with_.send(Produce, producing(with_, producer, { name, baseSequence: 1 }))
      })
      row(`the last epoch, after a ${words} by EndTxn 5, and the next`, async (with_) => {
        const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
        await written(with_, producer, name)
        const next = await ended(with_, producer, committed)
        await with_.send(Produce, producing(with_, producer, { name, baseSequence: 1 }))
        await added(with_, next, name)
        await with_.send(Produce, producing(with_, next, { name, baseSequence: 1 }))
        await with_.send(Produce, producing(with_, next, { name }))
      })
    }
  },
  { alone: true },
)

const endRows = rowsOf(EndTxn, (row) => {
  for (const committed of [true, false]) {
    const words = committed ? 'commit' : 'abort'
    const ends = async (with_: Conversation, producer: Producer, isCommit = committed): Promise<void> => {
      await with_.send(EndTxn, { ...producer, committed: isCommit })
      await settled(with_, producer)
    }
    row(`${words} without a transaction`, async (with_) => await ends(with_, await producerOf(with_)))
    row(`${words} of an open transaction, again, and the opposite`, async (with_) => {
      const producer = await producerOf(with_)
      await added(with_, producer, await transactionTopic(with_))
      await ends(with_, producer)
      await ends(with_, producer)
      await ends(with_, producer, !committed)
    })
    row(`${words} of the next transaction, which has nothing`, async (with_) => {
      const producer = await producerOf(with_)
      await added(with_, producer, await transactionTopic(with_))
      const next = await ended(with_, producer, true)
      await ends(with_, next)
      await ends(with_, next)
    })
    row(`${words} of a transaction that has only a group`, async (with_) => {
      const producer = await producerOf(with_)
      await groupAdded(with_, producer, with_.name('group'))
      await ends(with_, producer)
    })
    for (const isOpen of [false, true]) {
      for (const [other, of] of others)
        row(`${words} with ${other}, ${isOpen ? 'while a transaction is open' : 'without a transaction'}`, async (with_) => {
          const producer = await thirdProducer(with_)
          if (isOpen) await added(with_, producer, await transactionTopic(with_))
          await with_.send(EndTxn, { ...of(producer), committed })
        })
    }
    row(`${words} with the epoch of an earlier transaction`, async (with_) => {
      const [name, producer] = [await transactionTopic(with_), await producerOf(with_)]
      await added(with_, producer, name)
      const next = await ended(with_, producer, true)
      await added(with_, next, name)
      await with_.send(EndTxn, { ...producer, committed })
    })
  }
  // Kafka looks for such transactions every 10 seconds.
  for (const [words, ends] of [
    ['commit', async (with_, producer) => void (await with_.send(EndTxn, { ...producer, committed: true }))],
    ['abort', async (with_, producer) => void (await with_.send(EndTxn, { ...producer, committed: false }))],
    [
      'InitProducerId',
      async (with_, producer) => void (await with_.send(InitProducerId, { ...producer, transactionTimeoutMs: timeoutMs })),
    ],
    [
      'Produce',
      async (with_, producer) => {
        const request = producing(with_, producer, { name: with_.name('a'), baseSequence: 1, version: 12 })
        await with_.send(Produce, request, { version: 12 })
      },
    ],
  ] as const satisfies readonly (readonly [string, (with_: Conversation, producer: Producer) => Promise<void>])[])
    row(
      `after the time-out of the transaction: ${words}`,
      async (with_) => {
        const [name, producer] = [await transactionTopic(with_), await producerOf(with_, 'tx', 1)]
        await written(with_, producer, name)
        const asked = { transactionalIds: [producer.transactionalId] }
        await with_.until(DescribeTransactions, asked, ({ transactionStates: [found] }) => found?.transactionState === 'CompleteAbort')
        await with_.send(DescribeTransactions, asked)
        await ends(with_, producer)
        await with_.send(DescribeTransactions, asked)
      },
      { versions: '4+' },
    )
  row('the empty transactional id', async (with_) => {
    await with_.send(EndTxn, { ...(await producerOf(with_)), transactionalId: '', committed: true })
  })
})

export const transactionTable: readonly RequestRow[] = [...initRows, ...partitionRows, ...produceRows, ...endRows]
