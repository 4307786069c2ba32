// Reads a whole topic once, in a process of its own. Arguments: PORT TOPIC PARTITIONS. Prints the bytes of each response, one number a line, and ends with the topic.
import { TopicReader } from './topic-reader.ts'
import { WireClient } from './wire-client.ts'

const [port = '', topic = '', partitions = ''] = process.argv.slice(2)
const client = await WireClient.open(Number(port))
const reader = new TopicReader(client, { topic, partitions: Number(partitions), maxWaitMs: 0 })
for (;;) {
  const batches = await reader.next()
  if (batches.length === 0) break
  console.log(batches.reduce((sum, batch) => sum + batch.length, 0))
}
client.close()
