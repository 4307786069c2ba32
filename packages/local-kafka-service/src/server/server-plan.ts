// The plan of one server, made from the options of the command: its stores, its ports and its settings.
import { hostname } from 'node:os'
import {
  type AgentSettingName,
  type Beginning,
  type MetadataPlace,
  type MovableTime,
  type ObjectsPlace,
  type SettingSource,
  type Settings,
  settings,
  type TakeOver,
} from '@local-kafka-service/agent'
import { durationMs } from '../duration.ts'
import {
  flagOf,
  isEveryAddress,
  listOf,
  type OptionValues,
  type ServerCommand,
  splitAddress,
  textOf,
  variableOf,
  wasGiven,
} from '../options.ts'
import { UserError } from '../user-error.ts'
import { type WantedTopic, wantedTopics } from '../wanted-topics.ts'
import { placesIn } from './data-directory.ts'

export interface ServerPlan {
  /** Locked before any file in it is opened; undefined if the server has none. */
  readonly dataDirectory: string | undefined
  readonly objects: ObjectsPlace
  readonly metadata: MetadataPlace
  readonly storeLatencyMs: number
  /** Whether an idle server keeps its process alive. */
  readonly holdsProcess: boolean
  readonly settings: Settings
  readonly hosts: readonly string[]
  readonly kafkaPort: number
  readonly advertised: { readonly host: string; readonly port: number } | undefined
  /** When it fences registered agents. */
  readonly takeOver: TakeOver
  /** Created when the server starts, unless they exist. */
  readonly topics?: readonly WantedTopic[]
  /** Undefined: no HTTP. */
  readonly http: HttpPlan | undefined
  /** A time that can be moved at will. Absent: the system's time. */
  readonly time?: MovableTime
  /** A fork or a snapshot: its initial state, in memory. */
  readonly beginsWith?: Beginning
}

export interface HttpPlan {
  readonly control: { readonly port: number; readonly movable: boolean }
  readonly data: { readonly port: number; readonly movable: boolean }
  readonly allowedHosts: readonly string[]
}

/** Throws a UserError if options exclude each other, or if the command needs one that is missing. */
export function planOf(command: ServerCommand, values: OptionValues): ServerPlan {
  if (command === 'start') checkProduction(values)
  const memory = textOf(values, 'memory') === 'true'
  if (memory) checkAlone(values)
  const places = placesIn(textOf(values, 'dir') ?? '.lks')
  const storage = textOf(values, 'storage')
  const objects: ObjectsPlace = memory
    ? { kind: 'memory' }
    : storage === undefined
      ? { kind: 'directory', path: places.objects }
      : s3Place(storage)
  const metadata: MetadataPlace = memory ? { kind: 'memory' } : metadataPlace(textOf(values, 'metadata'), places.metadata)
  const kafkaPort = portOf(values, 'kafka.port')
  const hosts = addressesOf(listOf(textOf(values, 'listen')))
  if (command === 'start') checkOpenness(values, hosts)
  if (metadata.kind === 'postgres') checkFound(values, hosts)
  /** Others find a production agent at the ports that its configuration names. */
  const movable = (name: 'control.port' | 'data.port'): boolean => command === 'dev' && !wasGiven(values, name)
  return {
    dataDirectory: objects.kind === 'directory' || metadata.kind === 'sqlite' ? textOf(values, 'dir') : undefined,
    objects,
    metadata,
    storeLatencyMs: durationMs(textOf(values, 'store.latency') ?? '0') ?? 0, // validated before
    holdsProcess: true,
    settings: settingsOf(values, { command, memory, metadata }),
    hosts,
    kafkaPort,
    advertised: advertisedOf(values, kafkaPort),
    takeOver: takeOverOf(metadata, { asked: textOf(values, 'take.over') === 'true' }),
    topics: topicsOf(values),
    http: {
      control: { port: portOf(values, 'control.port'), movable: movable('control.port') },
      data: { port: portOf(values, 'data.port'), movable: movable('data.port') },
      allowedHosts: listOf(textOf(values, 'allowed.hosts')),
    },
  }
}

/** Validated before. */
function topicsOf(values: OptionValues): readonly WantedTopic[] {
  const topics = wantedTopics(textOf(values, 'topic') ?? '')
  if (typeof topics === 'string') throw new RangeError(topics)
  return topics
}

/** `localhost` is both address families, whatever the machine's resolver returns. */
export function addressesOf(hosts: readonly string[]): readonly string[] {
  return [...new Set(hosts.flatMap((host) => (host === 'localhost' ? ['127.0.0.1', '::1'] : [host])))]
}

/** `s3://bucket/prefix`, validated before. */
export function s3Place(url: string): ObjectsPlace {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(url) ?? []
  return { kind: 's3', bucket, prefix: prefix.replace(/\/+$/, '') }
}

export function metadataPlace(given: string | undefined, sqlitePath: string): MetadataPlace {
  if (given === undefined) return { kind: 'sqlite', path: sqlitePath }
  return given === ':memory:' ? { kind: 'memory' } : { kind: 'postgres', url: given }
}

/** Agents that are registered in a database of this process, or in a data directory whose lock this server holds, have ended. */
export function takeOverOf(metadata: MetadataPlace, { asked }: { readonly asked: boolean }): TakeOver {
  if (metadata.kind !== 'postgres') return 'all at once'
  return asked ? 'own name at once' : 'once silent'
}

/** The name of an agent that shares its database with other machines. A data directory or memory has only one agent, whatever the machine's name. */
export function machineName(metadata: MetadataPlace): GivenSettings {
  const name = hostname()
  return metadata.kind === 'postgres' && name !== '' ? { 'agent.name': { value: name, source: 'default' } } : {}
}

/** The values with the defaults that depend on others or on the machine, as `planOf` uses them. */
export function effectiveOptions(values: OptionValues): OptionValues {
  const name = values.get('agent.name')
  const machine = machineName(metadataPlace(textOf(values, 'metadata'), ''))['agent.name']
  return name?.source === 'default' && machine !== undefined ? new Map([...values, ['agent.name', { ...name, ...machine }]]) : values
}

/** Settings that differ from their defaults. */
export type GivenSettings = Partial<Record<AgentSettingName, { readonly value: string; readonly source: SettingSource }>>

function portOf(values: OptionValues, name: 'kafka.port' | 'control.port' | 'data.port'): number {
  return Number(textOf(values, name))
}

function checkAlone(values: OptionValues): void {
  const other = (['dir', 'storage', 'metadata'] as const).find((name) => wasGiven(values, name))
  if (other !== undefined) throw excluded(values, 'memory', other, 'with --memory nothing is stored')
}

/** `lks start` keeps everything in services that outlive the machine. */
function checkProduction(values: OptionValues): void {
  if (textOf(values, 'storage') === undefined) throw missing('storage', 's3://bucket/prefix')
  const metadata = textOf(values, 'metadata')
  if (metadata === undefined || metadata === ':memory:') throw missing('metadata', 'postgres://user@host/database')
  const durability = values.get('durability')
  if (durability?.value !== 'strict')
    throw new UserError('LKS-1005', {
      what: `${durability?.said} is ${durability?.value}, but lks start acknowledges only what S3 and PostgreSQL have stored`,
      fix: [`remove ${durability?.said}`, 'for a server that keeps less: lks dev'],
    })
}

function missing(name: 'storage' | 'metadata', example: string): UserError {
  return new UserError('LKS-1005', {
    what: `lks start needs ${flagOf(name)} ${example}`,
    why: 'it keeps messages in S3 and metadata in PostgreSQL, and nothing on this machine',
    fix: [
      `set it: ${flagOf(name)} ${example} (also as ${variableOf(name)}, or as "${name}" in the configuration file)`,
      'for a server that needs neither: lks dev',
    ],
  })
}

function checkOpenness(values: OptionValues, hosts: readonly string[]): void {
  const open = hosts.find((host) => !isLoopback(host))
  if (open === undefined || textOf(values, 'allow.unauthenticated') === 'true') return
  throw new UserError('LKS-1011', {
    what: `${values.get('listen')?.said} has ${open}, which other machines can reach, and there is no authentication`,
    why: 'every client that reaches the address could read, write and delete everything',
    fix: [
      'listen on this machine only: --listen 127.0.0.1',
      'if a firewall or a private network keeps others away, allow it: --allow-unauthenticated',
    ],
  })
}

/** Beside other agents, each names the same address of this one to its clients, whatever address a client has connected to. */
function checkFound(values: OptionValues, [first = '']: readonly string[]): void {
  if (!isEveryAddress(first) || textOf(values, 'advertised') !== undefined) return
  throw new UserError('LKS-1005', {
    what: `${values.get('listen')?.said} with ${first} needs --advertised`,
    why: `other agents would send clients to ${first}, where they reach nothing`,
    fix: ['name an address of this machine that clients and other agents reach: --advertised kafka.example.com:9092'],
  })
}

/** Of the addresses of this machine that other machines cannot reach. A name counts as reachable, except localhost. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function settingsOf(
  values: OptionValues,
  { command, memory, metadata }: { readonly command: ServerCommand; readonly memory: boolean; readonly metadata: MetadataPlace },
): Settings {
  const durability = values.get('durability')?.value
  if (memory && wasGiven(values, 'durability') && durability !== 'memory')
    throw excluded(values, 'memory', 'durability', 'data in memory does not survive the process')
  if (!memory && durability === 'memory')
    throw new UserError('LKS-1005', {
      what: `${values.get('durability')?.said} is memory, but the server stores data`,
      fix: ['store nothing: --memory', 'use the fastest durable mode: --durability os'],
    })
  const given: Record<string, { readonly value: string; readonly source: SettingSource }> = { ...machineName(metadata) }
  for (const [name, { value, source }] of values) if (source !== 'default' && value !== null) given[name] = { value, source }
  const memorySource = values.get('memory')?.source
  if (memory) given.durability = { value: 'memory', source: memorySource ?? 'flag' }
  return settings(command, given)
}

function advertisedOf(values: OptionValues, kafkaPort: number): ServerPlan['advertised'] {
  const given = textOf(values, 'advertised')
  if (given === undefined) return undefined
  const { host, port } = splitAddress(given)
  if (port === undefined && kafkaPort === 0)
    throw new UserError('LKS-1005', {
      what: `${values.get('advertised')?.said} does not name a port, and the Kafka port is any free one`,
      fix: [`set both: --advertised ${host}:9092 --kafka-port 9092`],
    })
  return { host, port: port === undefined ? kafkaPort : Number(port) }
}

function excluded(values: OptionValues, one: string, other: string, why: string): UserError {
  const said = (name: string): string => values.get(name)?.said ?? flagOf(name)
  return new UserError('LKS-1005', {
    what: `${said(one)} and ${said(other)} exclude each other`,
    why,
    fix: [`remove ${said(one)}`, `remove ${said(other)}`],
  })
}
