// Where the agents of a run are: all at 127.0.0.1, or each on a host of its own. Such a host is a network namespace of Linux, whose cable can be pulled: then packets vanish, and no connection ends.
import { spawnSync } from 'node:child_process'
import { runProgram, startProgram } from '../../packages/sim/src/program.ts'
import type { AgentName } from './schedule.ts'

export interface Hosts extends AsyncDisposable {
  /** Where clients, proxies and stores are, for the agents. */
  readonly gateway: string
  of(name: AgentName): AgentHost
}

export interface AgentHost {
  readonly address: string
  /** The words before a command that run it there; empty: here. */
  readonly prefix: readonly string[]
  /** Undefined: it has none that could be pulled. */
  readonly cable: Cable | undefined
}

export interface Cable {
  pull(): Promise<void>
  plugIn(): Promise<void>
}

export const oneHost: Hosts = {
  gateway: '127.0.0.1',
  of: () => ({ address: '127.0.0.1', prefix: [], cable: undefined }),
  [Symbol.asyncDispose]: async () => {},
}

/** The words before a command that give it a network of its own, so that the hosts that it makes are seen by nothing else, and are gone with it. */
export const ownNetwork: readonly string[] = ['unshare', '--net']

/** False: it needs Linux, root and iproute2. */
export function canHaveHosts(): boolean {
  const [program = '', ...args] = ownNetwork
  return spawnSync(program, [...args, 'ip', 'link', 'add', 'lks0', 'type', 'bridge']).status === 0
}

/** Inside `ownNetwork`. The hosts are connected by a bridge. */
export async function startHosts(names: readonly AgentName[]): Promise<Hosts> {
  await using stack = new AsyncDisposableStack()
  await ip('link', 'set', 'lo', 'up')
  await ip('link', 'add', bridge, 'type', 'bridge')
  stack.defer(() => ip('link', 'delete', bridge))
  await ip('address', 'add', `${addressOf(0)}/24`, 'dev', bridge)
  await ip('link', 'set', bridge, 'up')
  const hosts = new Map<AgentName, AgentHost>()
  for (const [index, name] of names.entries()) hosts.set(name, stack.use(await startHost(`lks${index + 1}`, addressOf(index + 1))))
  const owned = stack.move()
  return {
    gateway: addressOf(0),
    of(name) {
      const host = hosts.get(name)
      if (host === undefined) throw new Error(`there is no host for '${name}'`)
      return host
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The namespace lives as long as a process in it that waits for the end of its input, so it goes with this process, too. */
async function startHost(link: string, address: string): Promise<AgentHost & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const holder = stack.use(startProgram('unshare', ['--net', 'sh', '-c', 'echo held; cat']))
  await holder.firstLine()
  const prefix = ['nsenter', '--net', '--target', String(holder.pid)]
  const [enter = '', ...words] = prefix
  const inside = async (...args: readonly string[]): Promise<void> => void (await runProgram(enter, [...words, 'ip', ...args]))
  await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(holder.pid))
  await ip('link', 'set', link, 'master', bridge, 'up')
  await inside('link', 'set', 'lo', 'up')
  await inside('address', 'add', `${address}/24`, 'dev', 'eth0')
  await inside('link', 'set', 'eth0', 'up')
  const owned = stack.move()
  return {
    address,
    prefix,
    cable: { pull: () => ip('link', 'set', link, 'down'), plugIn: () => ip('link', 'set', link, 'up') },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const bridge = 'lks0'

/** Of the gateway, 0, and of the hosts. */
function addressOf(index: number): string {
  return `10.77.0.${index + 1}`
}

async function ip(...args: readonly string[]): Promise<void> {
  await runProgram('ip', args)
}
