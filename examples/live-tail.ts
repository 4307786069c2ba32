// Follows a topic live over HTTP, as server-sent events.
// Run it with `node --conditions=lks-source examples/live-tail.ts`.
import { startKafka } from 'local-kafka-service'

await using kafka = await startKafka({ http: true })
await fetch(`${kafka.urls?.control}/topics`, { method: 'POST', body: '{"name":"ticks","partitions":1}' })

const watching = new AbortController()
const tail = await fetch(`${kafka.urls?.data}/topics/ticks/messages?since=0`, {
  headers: { accept: 'text/event-stream' },
  signal: watching.signal,
})

for (const tick of [1, 2, 3]) await fetch(`${kafka.urls?.data}/topics/ticks/produce/0`, { method: 'POST', body: `tick:${tick}` })

let seen = ''
for await (const chunk of tail.body?.pipeThrough(new TextDecoderStream()) ?? []) {
  process.stdout.write(chunk)
  seen += chunk
  if (seen.match(/^data: .*"tick"/gm)?.length === 3) break
}
watching.abort()
