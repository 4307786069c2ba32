// lks doctor ports: which programs use the default ports of a server, and whether a Kafka server answers there.
import { connect } from 'node:net'
import { UserError } from 'local-kafka-service/internal/user-error'
import { type Finding, probe } from '../../cluster/probe.ts'
import type { ClientCommand } from '../client-command.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { type PortOwner, portOwner } from './port-owner.ts'

export const doctorPorts: ClientCommand = {
  path: ['doctor', 'ports'],
  summary: 'Show which programs use the ports 9092, 8000 and 8123.',
  arguments: [{ name: 'port', required: false, variadic: true, doc: 'Other ports.' }],
  options: [outputOption],
  examples: ['lks doctor ports', 'lks doctor ports 9093 -o json'],
  standalone: true,
  async run(given, { terminal }) {
    const ports = given.arguments.length === 0 ? defaults : given.arguments.map(asPort)
    const looked: Looked[] = []
    for (const port of ports) looked.push(await look(port))
    show(terminal, formatOf(given), {
      value: looked.map(({ port, use, free, owner, speaks }) => ({
        port,
        use,
        free,
        pid: owner?.pid ?? null,
        program: owner?.program ?? null,
        speaks,
      })),
      names: looked.filter(({ free }) => !free).map(({ port }) => String(port)),
      blocks: [tableBlock(columns, looked)],
    })
  },
}

const defaults: readonly number[] = [9092, 8000, 8123]
const uses: Readonly<Record<number, string>> = { 9092: 'Kafka', 8000: 'control plane', 8123: 'data plane' }
const timeoutMs = 1_000

interface Looked {
  readonly port: number
  readonly use: string
  readonly free: boolean
  readonly owner: PortOwner | undefined
  /** Null: the port is free, or the platform does not say. */
  readonly speaks: string | null
}

const columns: readonly Column<Looked>[] = [
  { header: 'PORT', value: ({ port }) => port, align: 'right' },
  { header: 'OF', value: ({ use }) => use },
  {
    header: 'HELD BY',
    value: ({ free, owner }) =>
      free ? 'free' : owner === undefined ? 'unknown program' : `${owner.program ?? 'a program'} (pid ${owner.pid})`,
  },
  { header: 'SPEAKS', value: ({ speaks }) => speaks ?? '-' },
]

function asPort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new UserError('LKS-1004', { what: `'${text}' is not a valid port`, fix: ['use a number from 1 to 65535'] })
  return port
}

async function look(port: number): Promise<Looked> {
  const use = uses[port] ?? '-'
  const answering = (await Promise.all(['127.0.0.1', '::1'].map(async (host) => ((await answers(host, port)) ? host : undefined)))).find(
    (host) => host !== undefined,
  )
  const owner = await portOwner(port)
  if (answering === undefined) return { port, use, free: owner === undefined, owner, speaks: null }
  return { port, use, free: false, owner, speaks: speechOf(await probe({ host: answering, port }, { timeoutMs })) }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
  })
}

function speechOf({ kind }: Finding): string | null {
  return kind === 'kafka' ? 'Kafka' : kind === 'speaks HTTP' ? 'HTTP' : kind === 'speaks TLS' ? 'TLS' : null
}
