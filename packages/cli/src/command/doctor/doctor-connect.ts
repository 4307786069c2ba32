// lks doctor connect: connects as a client does, first to the given address and then to each advertised one, and names the address that fails.
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { ClusterClient } from '../../cluster/cluster-client.ts'
import { clusterState } from '../../cluster/cluster-metadata.ts'
import type { ConnectionOptions } from '../../cluster/connection-options.ts'
import { type Diagnosis, diagnose, isLoopback } from '../../cluster/diagnosis.ts'
import { addressesOf } from '../../cluster/probe.ts'
import { asServer, splitServer } from '../../cluster/server-address.ts'
import { serverGuess } from '../../cluster/server-guess.ts'
import type { ClientCommand, CommandContext } from '../client-command.ts'
import { addressOf } from '../connection.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'

export const doctorConnect: ClientCommand = {
  path: ['doctor', 'connect'],
  summary: 'Find out why a client cannot connect.',
  arguments: [{ name: 'host:port', required: false, doc: 'The bootstrap address of the client. Default: the address of -b.' }],
  options: [outputOption],
  examples: ['lks doctor connect localhost:9092', 'lks doctor connect broker.example.com:9093 -X security.protocol=SSL'],
  async run(given, context) {
    const [asked] = given.arguments
    const servers = asked === undefined ? context.connection.bootstrapServers : [addressOf(asked, 'host:port')]
    const steps: DoctorStep[] = []
    for (const server of servers) steps.push(...(await walk(server, context)))
    show(context.terminal, formatOf(given), {
      value: steps,
      names: steps.filter(({ ok }) => !ok).map(({ where }) => where),
      blocks: [tableBlock(columns, steps)],
    })
    const wrong = steps.filter(({ ok }) => !ok)
    const [first] = wrong
    if (first !== undefined)
      throw new UserError(first.code ?? 'LKS-4005', {
        what: first.found,
        why: wrong.length > 1 ? `the output above shows ${counted(wrong.length - 1, 'more problem')}` : undefined,
        fix: first.fix,
      })
  },
}

interface DoctorStep {
  readonly where: string
  readonly ok: boolean
  readonly found: string
  readonly fix: readonly string[]
  readonly code?: UserError['code']
}

const columns: readonly Column<DoctorStep>[] = [
  { header: 'RESULT', value: ({ ok }) => (ok ? 'ok' : 'WRONG'), style: ({ ok }) => (ok ? undefined : 'wrong') },
  { header: 'WHERE', value: ({ where }) => where },
  { header: 'FOUND', value: ({ found }) => found },
]

/** Stops at the first failed step on which the next one depends. */
async function walk(server: string, context: CommandContext): Promise<readonly DoctorStep[]> {
  const steps: DoctorStep[] = []
  const { host } = splitServer(server)
  const addresses = await addressesOf(host)
  if (Array.isArray(addresses)) steps.push(fine('name', `${host} resolves to ${addresses.join(', ')}`))
  const bootstrap = stepOf('bootstrap', await diagnose(server, context.connection))
  steps.push(bootstrap)
  if (!bootstrap.ok) return steps
  const connection: ConnectionOptions = { ...context.connection, bootstrapServers: [server], said: 'the address' }
  try {
    const cluster = await ClusterClient.open({ connection, signal: context.signal })
    try {
      const { brokers, clusterId } = await clusterState(cluster, [])
      steps.push(fine('metadata', `cluster ${clusterId ?? 'without an id'} with ${counted(brokers.length, 'broker')}`))
      const looked = await Promise.all(brokers.map(async (broker) => ({ broker, at: await diagnose(asServer(broker), connection) })))
      for (const { broker, at } of looked) {
        const step = advertised(at, { where: `broker ${broker.id}`, proven: server, alone: brokers.length === 1 })
        steps.push(step.ok ? await sameCluster(step, { server: at.server, clusterId, context }) : step)
      }
    } finally {
      await cluster[Symbol.asyncDispose]()
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    steps.push({ where: 'metadata', ok: false, found: error.message, fix: error.fix, code: error.code })
  }
  return steps
}

/** An address such as localhost may be answered on this machine by another cluster. */
async function sameCluster(
  step: DoctorStep,
  { server, clusterId, context }: { readonly server: string; readonly clusterId: string | null; readonly context: CommandContext },
): Promise<DoctorStep> {
  const connection: ConnectionOptions = { ...context.connection, bootstrapServers: [server], said: 'the address' }
  const cluster = await ClusterClient.open({ connection, signal: context.signal })
  try {
    const there = await clusterState(cluster, [])
    if (there.clusterId === clusterId) return step
    return {
      where: step.where,
      ok: false,
      found: `${step.where}: it advertises ${server}, but another cluster answers there: ${there.clusterId ?? 'one without an id'}`,
      fix: ['advertise an address that reaches this cluster from everywhere: advertised.listeners in Kafka, lks dev --advertised'],
      code: 'LKS-4005',
    }
  } finally {
    await cluster[Symbol.asyncDispose]()
  }
}

function fine(where: string, found: string): DoctorStep {
  return { where, ok: true, found, fix: [] }
}

function stepOf(where: string, { server, finding, problem }: Diagnosis): DoctorStep {
  if (problem !== undefined) return { where, ok: false, found: problem.what, fix: problem.fix, code: problem.code }
  const as = finding.kind === 'kafka' ? `; it ${serverGuess(finding.apis)}` : ''
  return fine(where, `${server} answers as a Kafka server${as}`)
}

interface Advertised {
  readonly where: string
  /** The bootstrap server, which has just answered. */
  readonly proven: string
  /** The cluster has only this broker, which is therefore the bootstrap server. */
  readonly alone: boolean
}

/** Why a client cannot use a broker's address although the bootstrap address works: usually because of `advertised.listeners`. Exported for its test. */
export function advertised(at: Diagnosis, { where, proven, alone }: Advertised): DoctorStep {
  const step = stepOf(where, at)
  if (step.ok) return fine(where, `${at.server} is advertised and answers`)
  const { host } = splitServer(at.server)
  const why =
    isLoopback(host) && !isLoopback(splitServer(proven).host)
      ? `it advertises ${at.server}, and that name refers to the client's own machine: on this one, ${step.found}`
      : `it advertises ${at.server}, but ${step.found}`
  const fix = [
    alone
      ? `advertise ${proven}, which works from here: advertised.listeners in Kafka, lks dev --advertised ${proven}`
      : 'advertise an address of the broker that clients can reach: advertised.listeners in Kafka, lks dev --advertised',
  ]
  if (at.finding.kind === 'unresolvable') fix.push(`or make ${host} known to clients, in DNS or /etc/hosts`)
  if (at.finding.kind === 'refused')
    fix.push(`or make the broker listen on ${at.server}: the name resolves, only the port rejects connections`)
  return { where, ok: false, found: `${where}: ${why}`, fix, code: 'LKS-4005' }
}
