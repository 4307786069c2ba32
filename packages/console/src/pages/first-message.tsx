// For a cluster without topics: three ways to the first message, with the addresses of this server.
import type { JSX } from 'preact'
import { call } from '../api/client.ts'
import { Command } from '../parts/copy-button.tsx'
import { usePolled } from '../parts/use-polled.ts'

const rarelyMs = 60_000

export function FirstMessage({ onCreate }: { readonly onCreate: () => void }): JSX.Element {
  const version = usePolled('version', (signal) => call('version', { signal }), rarelyMs)
  const kafka = version.answer?.kafka
  return (
    <div class="first">
      <p>There is no topic yet. Any of these makes one; this page shows it at once.</p>
      <ol>
        <li>
          <h3>Here</h3>
          <button type="button" class="primary" onClick={onCreate}>
            Create topic
          </button>
        </li>
        <li>
          <h3>With any Kafka client</h3>
          <p>Topics are created when they are first used. Bootstrap server:</p>
          <Command text={kafka ?? 'localhost:9092'} />
        </li>
        <li>
          <h3>From a shell</h3>
          <Command text={`curl ${location.origin}/topics -d '{"name":"hello","partitions":1}'`} />
          <Command text={`curl ${location.origin}/data/topics/hello/produce/0 -d 'key:value'`} />
        </li>
      </ol>
    </div>
  )
}
