// lks transaction abort: aborts open transactions and fences their producers, after confirmation.
import { counted } from 'local-kafka-service/internal/counted'
import { withCluster } from '../../cluster/cluster-client.ts'
import { abortTransaction, describeTransaction } from '../../cluster/transactions.ts'
import type { ClientCommand } from '../client-command.ts'
import { confirm, yesOption } from '../confirm.ts'
import { forEachName } from '../each.ts'

export const transactionAbort: ClientCommand = {
  path: ['transaction', 'abort'],
  summary: 'Abort the open transactions of transactional ids, and fence their producers.',
  arguments: [{ name: 'id', required: true, variadic: true, doc: 'The transactional ids.' }],
  options: [yesOption],
  examples: ['lks transaction abort billing', 'lks transaction abort billing --yes'],
  async run(given, context) {
    const ids = [...new Set(given.arguments)]
    await withCluster(context, async (cluster) => {
      // Every id must exist before the first transaction is aborted.
      for (const id of ids) await describeTransaction(cluster, id)
      await confirm(`Abort ${counted(ids.length, 'transaction')}, and fence the producers: ${ids.join(', ')}?`, given, context)
      await forEachName(ids, context, async (id) => {
        await abortTransaction(cluster, id)
        context.terminal.talk.write(`the transaction of '${id}' is aborted\n`)
      })
    })
  },
}
