// Apache Kafka itself, for tests of what must work with any Kafka: one KRaft broker of the jars that KAFKA_CLASSPATH names, with a listener that wants a login.
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Program, startProgram } from '../../../packages/sim/src/program.ts'
import { freePorts } from './free-ports.ts'
import { javaOptions, kafkaClasspath, kafkaTool, succeeds } from './programs.ts'
import { lks, temporaryFolder } from './server.ts'

export interface KafkaBroker extends AsyncDisposable {
  /** `127.0.0.1:9092` */
  readonly kafka: string
  /** The same broker, by SASL_PLAINTEXT with PLAIN: user `me`, password `secret`. */
  readonly login: string
  /** Like `kill -9`, then a start at the same addresses with the stored data. */
  restart(): Promise<void>
}

/** The jars hold the broker, too: those of the clients alone do not. */
export function hasKafkaBroker(): boolean {
  return kafkaClasspath !== '' && succeeds('java', ['-cp', kafkaClasspath, 'kafka.tools.StorageTool', 'random-uuid'])
}

/** Resolves when it answers. */
export async function startKafkaBroker(): Promise<KafkaBroker> {
  const folder = await temporaryFolder()
  const [port, loginPort, controllerPort] = await freePorts(3)
  const properties = join(folder.path, 'server.properties')
  await writeFile(properties, propertiesOf({ folder: folder.path, port, loginPort, controllerPort }))
  // The first bits are those of a letter: the storage tool takes an id that begins with a dash for a flag.
  const clusterId = `k${Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').slice(1)}`
  await kafkaTool('kafka.tools.StorageTool', ['format', '-t', clusterId, '-c', properties, '--standalone'])
  const kafka = `127.0.0.1:${port}`
  const start = (): Program => startProgram('java', ['-Xmx512M', ...javaOptions(kafkaClasspath), 'kafka.Kafka', properties])
  let broker = start()
  const stop = async (): Promise<void> => {
    await broker.kill()
    await folder[Symbol.asyncDispose]()
  }
  const ready = async (): Promise<void> => {
    const waited = await lks(['wait', '--timeout', '100s', '-b', kafka])
    if (waited.code === 0) return
    await stop()
    throw new Error(`Apache Kafka did not start: ${waited.stderr}\n${broker.stdout()}`)
  }
  await ready()
  return {
    kafka,
    login: `127.0.0.1:${loginPort}`,
    async restart() {
      await broker.kill()
      broker = start()
      await ready()
    },
    [Symbol.asyncDispose]: stop,
  }
}

interface BrokerPlace {
  readonly folder: string
  readonly port: number | undefined
  readonly loginPort: number | undefined
  readonly controllerPort: number | undefined
}

function propertiesOf({ folder, port, loginPort, controllerPort }: BrokerPlace): string {
  const addresses = `PLAINTEXT://127.0.0.1:${port},LOGIN://127.0.0.1:${loginPort}`
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}
listeners=${addresses},CONTROLLER://127.0.0.1:${controllerPort}
advertised.listeners=${addresses}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=PLAIN
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_me="secret";
log.dirs=${join(folder, 'log')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=100
log.cleaner.dedupe.buffer.size=8388608
`
}
