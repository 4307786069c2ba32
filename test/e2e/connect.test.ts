// Kafka Connect 4.3 in distributed mode: its own client creates its three compacted topics, and after a kill it goes on where it ended.
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { type Program, startProgram } from '../../packages/sim/src/program.ts'
import { printed } from './testing/client-command.ts'
import { ecosystemCommand, needsClients } from './testing/client-program.ts'
import { freePorts } from './testing/free-ports.ts'
import { linesOf } from './testing/programs.ts'
import { startServer, temporaryFolder } from './testing/server.ts'

const waiting = { timeout: 60_000, interval: 500 }

function propertiesOf(kafka: string, port: number): string {
  return `bootstrap.servers=${kafka}
group.id=connect
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.storage.StringConverter
offset.storage.topic=connect-offsets
config.storage.topic=connect-configs
status.storage.topic=connect-status
offset.flush.interval.ms=1000
listeners=http://127.0.0.1:${port}
`
}

describe('Kafka Connect', () => {
  const test = needsClients('ecosystem')
  test('its topics are compacted, records pass through a source and a sink, and a restart repeats and loses none', {
    timeout: 180_000,
  }, async () => {
    await using ours = await startServer({ args: ['--memory'] })
    await using folder = await temporaryFolder()
    const [port = 0] = await freePorts(1)
    const [properties, source, sink] = ['worker.properties', 'in.txt', 'out.txt'].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ]
    await writeFile(properties, propertiesOf(ours.kafka, port))
    await writeFile(source, 'line 1\nline 2\nline 3\n')
    const worker = (): Program => startProgram(...ecosystemCommand('org.apache.kafka.connect.cli.ConnectDistributed', [properties]))
    const create = async (name: string, config: Readonly<Record<string, string>>): Promise<number> => {
      const url = `http://127.0.0.1:${port}/connectors/${name}/config`
      const headers = { 'content-type': 'application/json' }
      // While it starts, nothing listens there.
      return await fetch(url, { method: 'PUT', headers, body: JSON.stringify(config) }).then(
        ({ status }) => status,
        () => 0,
      )
    }
    const written = async (): Promise<readonly string[]> => linesOf(await readFile(sink, 'utf8').catch(() => ''))

    let connect = worker()
    try {
      const from = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector', file: source, topic: 'lines' }
      const to = { 'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector', file: sink, topics: 'lines' }
      await expect.poll(() => create('source', from), waiting).toBe(201)
      await expect.poll(() => create('sink', to), waiting).toBe(201)
      await expect.poll(written, waiting).toEqual(['line 1', 'line 2', 'line 3'])
      for (const topic of ['connect-configs', 'connect-offsets', 'connect-status'])
        expect(await printed(ours.kafka, ['config', 'describe', 'topic', topic]), topic).toMatch(/cleanup\.policy\s+topic\s+compact/)
      // The offset of the source is stored.
      await expect.poll(() => printed(ours.kafka, ['consume', 'connect-offsets', '-e']), waiting).toContain('position')

      await connect.kill()
      await appendFile(source, 'line 4\n')
      connect = worker()
      await expect.poll(written, waiting).toEqual(['line 1', 'line 2', 'line 3', 'line 4'])
    } finally {
      await connect.kill()
    }
  })
})
