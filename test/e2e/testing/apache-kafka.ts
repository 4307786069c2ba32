// Apache Kafka itself, one broker in a process of its own, from the jars that KAFKA_CLASSPATH names.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Admin } from '@platformatic/kafka'
import { kafkaClasspath, kafkaTool } from './programs.ts'

export interface ApacheKafka {
  /** `host:port` */
  readonly kafka: string
  stop(): Promise<void>
  /** As `kill -9`. */
  kill(): Promise<void>
}

export interface ApacheRun {
  readonly folder: string
  readonly port: number
}

/** A fresh cluster in the folder, on two free ports: a port and the next one. */
export async function formatApacheKafka(folder: string): Promise<ApacheRun> {
  const port = await freePort()
  const controller = await freePort()
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'log'),
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
  }
  const file = join(folder, 'server.properties')
  await writeFile(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  await kafkaTool('kafka.tools.StorageTool', ['format', '-t', 'AAAAAAAAAAAAAAAAAAAAAQ', '-c', file, '--standalone'])
  return { folder, port }
}

/** Settles when it answers. Rejects with its log when it ends before. */
export async function startApacheKafka({ folder, port }: ApacheRun): Promise<ApacheKafka> {
  const child = spawn('java', ['-Xmx512M', '-cp', kafkaClasspath, 'kafka.Kafka', join(folder, 'server.properties')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-20_000)))
  const ended = once(child, 'close')
  const kafka = `127.0.0.1:${port}`
  await Promise.race([
    answers(kafka, child),
    ended.then(() => {
      throw new Error(`Apache Kafka ended before it answered:\n${log}`)
    }),
  ])
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  return { kafka, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

async function answers(kafka: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const admin = new Admin({ clientId: 'e2e', bootstrapBrokers: [kafka], retries: 0, connectTimeout: 1_000 })
    try {
      await admin.listTopics()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100)) // it starts: asked again
    } finally {
      await admin.close()
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
