// A server stores records in a directory, and a second server reads them.
// Run it with `node --conditions=lks-source examples/kept-in-a-directory.ts`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafka } from 'local-kafka-service'

const dir = await mkdtemp(join(tmpdir(), 'kept-'))
try {
  {
    await using kafka = await startKafka({ dir, http: true })
    await fetch(`${kafka.urls?.control}/topics`, { method: 'POST', body: '{"name":"hello","partitions":1}' })
    await fetch(`${kafka.urls?.data}/topics/hello/produce/0`, { method: 'POST', body: 'key:value' })
  }
  await using kafka = await startKafka({ dir, http: true })
  const answer = await fetch(`${kafka.urls?.data}/topics/hello/messages/0?offset=0`, { headers: { accept: 'application/x-ndjson' } })
  process.stdout.write(await answer.text())
} finally {
  await rm(dir, { recursive: true })
}
