// The application is killed in the middle of a transaction: its invoice is written, but not committed. The next process aborts it, and goes on exactly there.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { kafkaFor } from 'local-kafka-service/node-test'

const orders = Array.from({ length: 30 }, (_, index) => `order ${index}`)

for (const program of ['invoicing-kafkajs.ts', 'invoicing-platformatic.ts']) {
  void test(`${program} writes each invoice exactly once, although it is killed`, async (t) => {
    const kafka = await kafkaFor(t, { topics: { orders: 2, invoices: 1 } })
    await kafka.produce('orders', ...orders.map((value, index) => ({ key: String(index), value })))
    // The tenth request to commit is neither executed nor answered.
    let commits = 0
    const stuck = Promise.withResolvers<void>()
    kafka.faults.on('EndTxn', () => {
      commits += 1
      if (commits !== 10) return undefined
      stuck.resolve()
      return { act: 'hang' }
    })
    {
      await using first = started(program, kafka.bootstrapServers)
      await Promise.race([stuck.promise, ended(first.child)])
    }
    assert.equal((await kafka.records('invoices')).length, 9)
    assert.deepEqual(
      (await kafka.transactions()).map(({ state }) => state),
      ['Ongoing'],
    )

    await using second = started(program, kafka.bootstrapServers)
    await Promise.race([kafka.waitFor('invoices', orders.length, { timeoutMs: 60_000 }), ended(second.child)])
    await kafka.group('invoicing').caughtUp()
    const invoices = (await kafka.records('invoices')).map((record) => record.text())
    assert.equal(invoices.length, orders.length)
    assert.deepEqual(new Set(invoices), new Set(orders.map((order) => `invoice for ${order}`)))
  })
}

/** A process of the application, which ends with its block as with `kill -9`. */
function started(program: string, bootstrapServers: string): { readonly child: ChildProcess } & AsyncDisposable {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), bootstrapServers], { stdio: ['ignore', 'inherit', 'inherit'] })
  const exit = once(child, 'exit')
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** Rejects when the application ends by itself. */
async function ended(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`the application ended with exit code ${code}`)
}
