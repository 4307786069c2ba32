// The one table of options: `lks dev` and `lks start` read each as a flag, from the environment (`LKS_…`) and from a file, in this order; each value keeps its source.
import { agentSettings, type Setting, type SettingSource, type Settings } from '@local-kafka-service/agent'
import { errorText } from '@local-kafka-service/agent/native-error'
import { isClientVariable } from './client-variables.ts'
import { didYouMean } from './did-you-mean.ts'
import { durationMs } from './duration.ts'
import { UserError } from './user-error.ts'
import { wantedTopics } from './wanted-topics.ts'

/** A command that runs a server. */
export type ServerCommand = Settings['mode']

export type OptionGroup = 'Where it keeps things' | 'What it begins with' | 'Where it listens' | 'What it prints' | 'Settings'

export interface Option {
  /** `kafka.port`: the flag is `--kafka-port`, the variable `LKS_KAFKA_PORT`, the key in the file `kafka.port`. */
  readonly name: string
  /** The name of the value in the help. Absent: a switch with the values `true` and `false`. */
  readonly placeholder?: string
  /** The flag may be repeated, which stands for one value with commas. */
  readonly repeatable?: true
  readonly short?: string
  readonly default: Readonly<Record<ServerCommand, string | null>>
  /** The only command that has it. Absent: both have it. */
  readonly only?: ServerCommand
  readonly doc: string
  readonly group: OptionGroup
  /** Undefined when the value is valid, otherwise the reason why it is not. */
  readonly check: (value: string) => string | undefined
}

export interface OptionValue {
  readonly value: string | null
  readonly source: SettingSource
  /** The name that the user wrote: `--kafka-port`, `LKS_KAFKA_PORT`, `kafka.port in lks.config.json`. */
  readonly said: string
}

export type OptionValues = ReadonlyMap<string, OptionValue>

const both = (value: string | null): Option['default'] => ({ dev: value, start: value })

const commandOptions = [
  {
    name: 'dir',
    placeholder: 'path',
    default: both('.lks'),
    only: 'dev',
    doc: 'The data directory, for metadata and, without --storage, messages.',
    group: 'Where it keeps things',
    check: notEmpty,
  },
  {
    name: 'memory',
    default: both('false'),
    only: 'dev',
    doc: 'Store nothing: everything is in memory.',
    group: 'Where it keeps things',
    check: boolean,
  },
  {
    name: 'storage',
    placeholder: 's3://bucket/prefix',
    default: both(null),
    doc: 'Keep messages in S3. AWS_ENDPOINT_URL_S3 selects another server with the S3 API; credentials come from the same sources as for AWS tools.',
    group: 'Where it keeps things',
    check: storageUrl,
  },
  {
    name: 'store.latency',
    placeholder: '100ms',
    default: both(null),
    only: 'dev',
    doc: 'Delay every request to the object store by this time, to imitate S3.',
    group: 'Where it keeps things',
    check: duration,
  },
  {
    name: 'metadata',
    placeholder: 'postgres://user@host/database',
    default: both(null),
    doc: 'Keep metadata in PostgreSQL. `lks dev` keeps it in the data directory without this option; there `:memory:` stores none.',
    group: 'Where it keeps things',
    check: metadataUrl,
  },
  {
    name: 'take.over',
    default: both('false'),
    doc: 'End the agent that has the same name and take its place. Without it a start is rejected while that agent is alive.',
    group: 'Where it keeps things',
    check: boolean,
  },
  {
    name: 'topic',
    placeholder: 'name:count',
    repeatable: true,
    default: both(null),
    only: 'dev',
    doc: 'Create this topic if it does not exist, with this number of partitions; orders:3,audit are two. May be repeated.',
    group: 'What it begins with',
    check: topics,
  },
  {
    name: 'kafka.port',
    placeholder: 'port',
    default: both('9092'),
    doc: 'The port for Kafka clients; 0 = any free port.',
    group: 'Where it listens',
    check: port,
  },
  {
    name: 'control.port',
    placeholder: 'port',
    default: both('8000'),
    doc: 'The port of the control plane. If the default port is busy, `lks dev` uses the next free one.',
    group: 'Where it listens',
    check: port,
  },
  {
    name: 'data.port',
    placeholder: 'port',
    default: both('8123'),
    doc: 'The port of the data plane, with the same rule.',
    group: 'Where it listens',
    check: port,
  },
  {
    name: 'listen',
    placeholder: 'hosts',
    default: both('127.0.0.1,::1'),
    doc: 'Addresses to listen on, separated by commas.',
    group: 'Where it listens',
    check: hosts,
  },
  {
    name: 'allow.unauthenticated',
    default: both('false'),
    only: 'start',
    doc: 'Listen on addresses that other machines can reach, although no listener has authentication or TLS yet. Required for such an address.',
    group: 'Where it listens',
    check: boolean,
  },
  {
    name: 'advertised',
    placeholder: 'host:port',
    default: both(null),
    doc: 'The address to advertise to Kafka clients. Default: the address of the connection; beside other agents, the one to listen on.',
    group: 'Where it listens',
    check: advertised,
  },
  {
    name: 'allowed.hosts',
    placeholder: 'hosts',
    default: both(''),
    doc: 'Additional host names that HTTP accepts, such as host.docker.internal, separated by commas.',
    group: 'Where it listens',
    check: () => undefined,
  },
  {
    name: 'verbose',
    short: '-v',
    default: both('false'),
    doc: 'Print every request and flush, and the stack trace of an error.',
    group: 'What it prints',
    check: boolean,
  },
  {
    name: 'config',
    placeholder: 'file',
    default: both('lks.config.json'),
    doc: 'The configuration file: one JSON object with the names of these options as keys. The default file may be missing.',
    group: 'Settings',
    check: notEmpty,
  },
] as const satisfies readonly Option[]

export type CommandOptionName = (typeof commandOptions)[number]['name']

export const options: readonly Option[] = [
  ...commandOptions,
  ...agentSettings.map((setting: Setting): Option => {
    const { name, type, unit, doc, check } = setting
    return {
      name,
      placeholder: unit ?? (type === 'boolean' ? 'true|false' : type),
      default: setting.default,
      doc,
      // The first screen shows it, so the short help has it, too.
      group: name === 'durability' ? 'Where it keeps things' : 'Settings',
      check,
    }
  }),
]

export function optionsFor(command: ServerCommand): readonly Option[] {
  return options.filter(({ only }) => only === undefined || only === command)
}

/** The configuration file of a start that names none. */
export const defaultConfigFile = 'lks.config.json'

export function flagOf(name: string): string {
  return `--${name.replaceAll('.', '-')}`
}

export function variableOf(name: string): string {
  return `LKS_${name.toUpperCase().replaceAll('.', '_')}`
}

export interface OptionSources {
  /** By option name. */
  readonly flags: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Undefined if there is none. */
  readonly file: ConfigFile | undefined
}

export interface ConfigFile {
  readonly path: string
  readonly text: string
}

/** A flag overrides the environment, then the file, then the default. Throws a UserError that names the wrong value and its source. */
export function resolveOptions(
  command: ServerCommand,
  { flags, env, file }: OptionSources,
): {
  readonly values: OptionValues
  readonly warnings: readonly string[]
} {
  const fromFile = file === undefined ? new Map<string, OptionValue>() : parseFile(file, command)
  const values = new Map<string, OptionValue>()
  for (const option of optionsFor(command)) {
    const value = pick(option, flags[option.name], env[variableOf(option.name)]) ??
      fromFile.get(option.name) ?? { value: option.default[command], source: 'default', said: flagOf(option.name) }
    if (value.source !== 'default' && value.value !== null) checkOption(option.name, value.value, value.said)
    values.set(option.name, value)
  }
  return { values, warnings: unknownVariables(env, command) }
}

/** Throws a UserError for an unknown option or an invalid value. `said`: the name that the user wrote. */
export function checkOption(name: string, value: string, said: string): void {
  const option = options.find((candidate) => candidate.name === name)
  if (option === undefined) {
    const nearest = didYouMean(
      name,
      options.map((candidate) => candidate.name),
    )
    throw new UserError('LKS-1004', { what: `'${said}' is not a known option${nearest}`, fix: ['list the options: lks dev --help'] })
  }
  const wrong = option.check(value)
  if (wrong === undefined) return
  throw new UserError('LKS-1004', {
    what: `${said}: '${withoutPassword(value)}' ${wrong}`,
    why: option.doc,
    fix: [`use another value for ${said}${defaultText(option)}`],
  })
}

function defaultText({ default: { dev, start } }: Option): string {
  const shown = (value: string | null): boolean => value !== null && value !== ''
  if (dev === start) return shown(dev) ? `; the default is ${dev}` : ''
  return [...(shown(dev) ? [`the default of lks dev is ${dev}`] : []), ...(shown(start) ? [`the default of lks start is ${start}`] : [])]
    .map((text) => `; ${text}`)
    .join('')
}

/** `postgres://user:password@host` is printed without the password, even if the value is invalid. */
export function withoutPassword(value: string): string {
  return value.replace(/(:\/\/[^:/@]*):[^@]*@/, '$1:…@').replace(/([?&]password=)[^&]*/g, '$1…')
}

/** An option's value as text; undefined when it has none. */
export function textOf(values: OptionValues, name: CommandOptionName): string | undefined {
  return values.get(name)?.value ?? undefined
}

/** Whether the user set it in any source. */
export function wasGiven(values: OptionValues, name: string): boolean {
  const source = values.get(name)?.source
  return source !== undefined && source !== 'default'
}

export function listOf(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

function pick(option: Option, flag: string | undefined, variable: string | undefined): OptionValue | undefined {
  if (flag !== undefined) return { value: flag, source: 'flag', said: flagOf(option.name) }
  if (variable !== undefined) return { value: variable, source: 'environment', said: variableOf(option.name) }
  return undefined
}

function parseFile({ path, text }: ConfigFile, command: ServerCommand): ReadonlyMap<string, OptionValue> {
  const wrong = (why: string): UserError =>
    new UserError('LKS-1007', {
      what: `${path} cannot be used`,
      why,
      fix: [`fix or remove ${path}`, `list the options: lks ${command} --help`],
    })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw wrong(`it is not valid JSON: ${errorText(error)}`)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong('it must be one object, such as {"kafka.port": 9093}')
  const names = optionsFor(command)
    .map((option) => option.name)
    .filter((name) => name !== 'config')
  const values = new Map<string, OptionValue>()
  for (const [name, value] of Object.entries(json)) {
    if (!names.includes(name)) throw wrong(unknownName(name, names, command))
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw wrong(`the value of '${name}' must be a string, a number, true or false`)
    values.set(name, { value: String(value), source: 'file', said: `${name} in ${path}` })
  }
  return values
}

function unknownName(name: string, names: readonly string[], command: ServerCommand): string {
  if (name === 'config') return "the file cannot name another file: use --config or LKS_CONFIG for 'config'"
  const other = options.find((option) => option.name === name)?.only
  return other === undefined
    ? `'${name}' is not a known option${didYouMean(name, names)}`
    : `'${name}' is an option of lks ${other}, not of lks ${command}`
}

/** `LKS_TEST_…` belong to the tests, others to client commands. */
function unknownVariables(env: OptionSources['env'], command: ServerCommand): readonly string[] {
  const known = optionsFor(command).map(({ name }) => variableOf(name))
  return Object.keys(env)
    .filter((name) => name.startsWith('LKS_') && !name.startsWith('LKS_TEST_') && !isClientVariable(name) && !known.includes(name))
    .map((name) => `${name} in the environment is not an option and was ignored${didYouMean(name, known)}`)
}

// ---- checks -------------------------------------------------------------------------------------------------------------------------

function notEmpty(value: string): string | undefined {
  return value.trim() === '' ? 'must not be empty' : undefined
}
function boolean(value: string): string | undefined {
  return value === 'true' || value === 'false' ? undefined : 'must be true or false'
}
function port(value: string): string | undefined {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? undefined : 'must be a port from 0 to 65535'
}
function duration(value: string): string | undefined {
  const ms = durationMs(value)
  if (ms === undefined) return 'must be a duration such as 100ms'
  return ms <= 60_000 ? undefined : 'must be at most one minute'
}
function hosts(value: string): string | undefined {
  const list = listOf(value)
  if (list.length === 0) return 'must name at least one address, such as 127.0.0.1'
  const wrong = list.find((host) => host !== host.trim() || /[\s/[\]]/.test(host))
  return wrong === undefined ? undefined : `must be host names or addresses, separated by commas; '${wrong}' is neither`
}
function topics(value: string): string | undefined {
  const wanted = wantedTopics(value)
  if (typeof wanted === 'string') return `is not valid: ${wanted}`
  return wanted.length === 0 ? 'must name a topic, such as orders:3' : undefined
}
function storageUrl(value: string): string | undefined {
  if (/^s3:\/\/[^/\s]+(\/.*)?$/.test(value)) return undefined
  return value.startsWith('s3://')
    ? 'must name a bucket, such as s3://bucket/prefix'
    : 'must be s3://bucket/prefix; for a directory use --dir'
}
function metadataUrl(value: string): string | undefined {
  if (value === ':memory:') return undefined
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value) ? undefined : 'must be postgres://user@host/database'
}
function advertised(value: string): string | undefined {
  const { host, port: told } = splitAddress(value)
  if (host === '') return 'must be host:port'
  if (isEveryAddress(host)) return `must not be ${host}, which clients cannot reach`
  return told === undefined ? undefined : port(told) === undefined && told !== '0' ? undefined : 'must end in a port from 1 to 65535'
}

/** To listen on it is to listen on all addresses of the machine; no client can connect to it. */
export function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** `host`, `host:port`, `[::1]:port`. */
export function splitAddress(value: string): { readonly host: string; readonly port: string | undefined } {
  const [, bracketed, plain, given] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(value.trim()) ?? []
  return { host: bracketed ?? plain ?? '', port: given }
}
