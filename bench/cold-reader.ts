// Reads a whole topic once, in a process of its own. Arguments: PORT TOPIC PARTITIONS BYTES. Prints the bytes of each response, one number a line. Ends when it has
// all the bytes of the topic's batches, and fails if the topic has fewer.
import { TopicReader } from './topic-reader.ts'
import { WireClient } from './wire-client.ts'

const maxEmptyResponses = 20

const [port = '', topic = '', partitions = '', bytes = ''] = process.argv.slice(2)
const client = await WireClient.open(Number(port))
const reader = new TopicReader(client, { topic, partitions: Number(partitions), maxWaitMs: 500 })
let emptyResponses = 0
for (let left = Number(bytes); left > 0; ) {
  const batches = await reader.next()
  const read = batches.reduce((sum, batch) => sum + batch.length, 0)
  // A server that is slow may answer without a batch.
  if (read === 0 && ++emptyResponses > maxEmptyResponses) throw new Error(`topic ${topic} ends ${left} bytes early`)
  left -= read
  console.log(read)
}
client.close()
