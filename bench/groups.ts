// Groups of growing size: the cost of a rebalance, of a group and of the end of all members, per member and per group, and offset commits per second.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { DescribeGroups } from '@local-kafka-service/protocol'
import { thisBuild } from './builds.ts'
import { createTopic } from './frames.ts'
import { commitFrame, GroupClient } from './group-client.ts'
import { type MeasuredServer, ours, residentMb } from './processes.ts'
import type { BenchRow } from './report.ts'
import { load, WireClient } from './wire-client.ts'

const partitions = 100
const memberCounts = [250, 500, 1_000]
const groupCounts = [1_250, 2_500, 5_000]
const rebalances = 5
/** While others are still to come. */
const betweenHeartbeatsMs = 20
/** The cost of one among many, divided by its cost among a quarter as many; a quadratic total gives 4. */
const goal = '≤ 1.5'

export async function groupBenches(): Promise<readonly BenchRow[]> {
  const ofMembers: (readonly Cost[])[] = []
  for (const count of memberCounts) ofMembers.push(await withServer([], (server) => membersOfOneGroup(server, count)))
  const ofGroups: (readonly Cost[])[] = []
  for (const count of groupCounts) ofGroups.push(await withServer([], (server) => manyGroups(server, count)))
  return [
    ...growth(ofMembers),
    ...growth(ofGroups),
    await withServer(['--durability', 'os'], (server) => commits('SQLite, os', server)),
    await withServer(['--durability', 'strict'], (server) => commits('SQLite, strict', server)),
    ...(await onPostgres()),
  ]
}

/** The cost of `count` of something. Zero if it is too small to measure. */
interface Cost {
  readonly what: string
  readonly of: string
  readonly count: number
  readonly cpuSeconds: number
  readonly seconds: number
  readonly megabytes?: number
}

/** Compares each later size with the first one, per piece: CPU time, because the client shares the machine, and memory if it was measured. */
function growth(sizes: readonly (readonly Cost[])[]): readonly BenchRow[] {
  const [first = [], ...larger] = sizes
  return first.flatMap((base, index) =>
    larger.flatMap((costs) => {
      const cost = costs[index]
      if (cost === undefined) return []
      const name = `${cost.what}, ${cost.count} ${cost.of}`
      const cpu: BenchRow = {
        bench: name,
        ours: shown(cost),
        baseline: `${base.count}: ${shown(base)}`,
        ratio: cost.cpuSeconds / cost.count / (base.cpuSeconds / base.count),
        goal,
      }
      if (cost.megabytes === undefined || base.megabytes === undefined) return [cpu]
      return [
        cpu,
        {
          bench: `${name}, memory`,
          ours: `${cost.megabytes.toFixed(0)} MB`,
          baseline: `${base.count}: ${base.megabytes.toFixed(0)} MB`,
          ratio: cost.megabytes / cost.count / (base.megabytes / base.count),
          goal,
        },
      ]
    }),
  )
}

function shown({ seconds, cpuSeconds: cpu }: Cost): string {
  return `${(seconds * 1_000).toFixed(0)} ms, ${(cpu * 1_000).toFixed(0)} CPU ms`
}

async function measured(
  server: MeasuredServer,
  work: () => Promise<void>,
): Promise<{ readonly cpuSeconds: number; readonly seconds: number }> {
  const [began, cpuBefore] = [performance.now(), server.cpuSeconds()]
  await work()
  return { seconds: (performance.now() - began) / 1_000, cpuSeconds: server.cpuSeconds() - cpuBefore }
}

async function membersOfOneGroup(server: MeasuredServer, count: number): Promise<readonly Cost[]> {
  const members = await inLanes(Array.from({ length: count }), 50, () => GroupClient.open(server.port, 'bench', partitions))
  const before = residentMb(server.pid) ?? Number.NaN
  const formed = await measured(server, () => settle(members))
  // The first rebalance warms up.
  await rebalance(members)
  const each = await measured(server, async () => {
    for (let round = 0; round < rebalances; round++) await rebalance(members)
  })
  const beaten = await measured(server, async () => {
    for (let round = 0; round < 20; round++) await Promise.all(members.map((member) => member.heartbeat()))
  })
  const megabytes = (residentMb(server.pid) ?? Number.NaN) - before
  const gone = await measured(server, async () => {
    for (const member of members) member.close()
    await emptied(server)
  })
  const cost = { of: 'members', count }
  return [
    { ...cost, what: 'a group forms', ...formed, megabytes },
    { ...cost, what: 'a rebalance', seconds: each.seconds / rebalances, cpuSeconds: each.cpuSeconds / rebalances },
    { ...cost, what: '20 heartbeats each', ...beaten },
    { ...cost, what: 'all connections end', ...gone },
  ]
}

/** Runs until all members are in one generation, like real clients: a member that learns of a rebalance joins again. */
async function settle(members: readonly GroupClient[]): Promise<void> {
  /** By generation: the number of members that have their assignment. */
  const settled = new Map<number, number>()
  const all = (): boolean => Math.max(0, ...settled.values()) === members.length
  await Promise.all(
    members.map(async (member) => {
      while (!all()) {
        const { synced, generation } = member
        if (synced) await member.heartbeat()
        else await member.join()
        if (member.synced === synced && member.generation === generation) await setTimeout(betweenHeartbeatsMs)
        if (synced) settled.set(generation, (settled.get(generation) ?? 0) - 1)
        if (member.synced) settled.set(member.generation, (settled.get(member.generation) ?? 0) + 1)
      }
    }),
  )
}

/** The leader starts a rebalance; the other members learn of it from their heartbeats. */
async function rebalance(members: readonly GroupClient[]): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      const before = member.generation
      if (member.leads) await member.join()
      while (!member.synced || member.generation === before) {
        if (!member.synced) await member.join()
        else await member.heartbeat()
      }
    }),
  )
}

async function emptied(server: MeasuredServer): Promise<void> {
  const client = await WireClient.open(server.port)
  const state = async (): Promise<string | undefined> =>
    (await client.ask(DescribeGroups, 5, { groups: ['bench'], includeAuthorizedOperations: false })).groups[0]?.groupState
  while ((await state()) !== 'Empty');
  client.close()
}

/** Groups with one member each, which joins, commits all partitions and sends heartbeats; this includes the cost of open sessions. */
async function manyGroups(server: MeasuredServer, count: number): Promise<readonly Cost[]> {
  const connections = await inLanes(Array.from({ length: 50 }), 50, () => WireClient.open(server.port))
  const groups = Array.from({ length: count }, (_, index) => {
    const connection = connections[index % connections.length]
    if (connection === undefined) throw new Error('there are no connections')
    return new GroupClient(connection, `bench-${index}`, partitions)
  })
  const before = residentMb(server.pid) ?? Number.NaN
  const joined = await measured(server, async () => {
    await inLanes(groups, 50, (member) => settle([member]))
  })
  const committed = await measured(server, async () => {
    await inLanes(groups, 50, (member) => member.commit(1))
  })
  const beaten = await measured(server, async () => {
    for (let round = 0; round < 5; round++) await inLanes(groups, 50, (member) => member.heartbeat())
  })
  const megabytes = (residentMb(server.pid) ?? Number.NaN) - before
  for (const connection of connections) connection.close()
  const cost = { of: 'groups', count }
  return [
    { ...cost, what: 'a member joins each', ...joined, megabytes },
    { ...cost, what: `a commit of ${partitions} partitions in each`, ...committed },
    { ...cost, what: '5 heartbeats in each', ...beaten },
  ]
}

/** As many groups as connections, each with one commit under way. */
async function commits(name: string, server: MeasuredServer): Promise<BenchRow> {
  const lanes = 50
  const named = 10
  const members = await inLanes(Array.from({ length: lanes }), lanes, async (_, index) => {
    const member = await GroupClient.open(server.port, `commits-${index}`, partitions)
    await settle([member])
    return member
  })
  const rates = await Promise.all(
    members.map(async (member) => {
      const { bytes, check } = commitFrame(member, named)
      const { answered, seconds } = await load(member.connection, bytes, { inFlight: 1, seconds: 3, check })
      return answered / seconds
    }),
  )
  for (const member of members) member.close()
  const perSecond = rates.reduce((sum, rate) => sum + rate, 0)
  const ours = `${perSecond.toFixed(0)} commits/s, ${(perSecond * named).toFixed(0)} offsets/s`
  return { bench: `offset commits of ${named} partitions, ${lanes} groups, ${name}`, ours, baseline: '', ratio: undefined, goal: '' }
}

async function onPostgres(): Promise<readonly BenchRow[]> {
  const { LKS_TEST_POSTGRES: postgres } = process.env
  if (postgres === undefined) return []
  return [await withServer(['--metadata', postgres, '--cluster-id', randomUUID()], (server) => commits('PostgreSQL', server))]
}

async function inLanes<T, R>(items: readonly T[], lanes: number, work: (item: T, index: number) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  const next = items.entries()
  const lane = async (): Promise<void> => {
    for (const [index, item] of next) results[index] = await work(item, index)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return results
}

async function withServer<T>(args: readonly string[], use: (server: MeasuredServer) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-bench-'))
  try {
    await using server = await ours({ build: thisBuild(), args: ['--dir', join(folder, 'lks'), ...args] })
    const client = await WireClient.open(server.port)
    await createTopic(client, partitions)
    client.close()
    return await use(server)
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}
