// The plan of an embedded server, from the options of `startKafka`.
import { resolve } from 'node:path'
import { type AgentSettingName, agentSettings, type CopySource, type MovableTime, movableTime, settings } from '@local-kafka-service/agent'
import { didYouMean } from '../did-you-mean.ts'
import { checkOption } from '../options.ts'
import { placesIn } from '../server/data-directory.ts'
import {
  addressesOf,
  type GivenSettings,
  type HttpPlan,
  machineName,
  metadataPlace,
  type ServerPlan,
  s3Place,
  takeOverOf,
} from '../server/server-plan.ts'
import { UserError } from '../user-error.ts'
import { checkOptionNames } from './option-names.ts'
import type { StartKafkaOptions } from './start-options.ts'

/** Throws a UserError that names the wrong option. */
export function embeddedPlan(given: StartKafkaOptions): ServerPlan {
  checkOptionNames('startKafka', given)
  const { dir, storage, metadata, from, port = 0 } = given
  if (from !== undefined) checkAlone(given)
  checkOption('kafka.port', String(port), 'port')
  if (storage !== undefined) checkOption('storage', storage, 'storage')
  if (metadata !== undefined) checkOption('metadata', metadata, 'metadata')
  const places = dir === undefined ? undefined : placesIn(dir)
  const objects: ServerPlan['objects'] =
    storage !== undefined ? s3Place(storage) : places === undefined ? { kind: 'memory' } : { kind: 'directory', path: places.objects }
  const chosen: ServerPlan['metadata'] =
    metadata === undefined && places === undefined ? { kind: 'memory' } : metadataPlace(metadata, places?.metadata ?? '')
  return {
    dataDirectory: objects.kind === 'directory' || chosen.kind === 'sqlite' ? dir : undefined,
    objects,
    metadata: chosen,
    storeLatencyMs: given.storeLatencyMs ?? 0,
    holdsProcess: given.holdsProcess ?? false,
    settings: settings('dev', {
      ...machineName(chosen),
      ...settingsOf(given, { keepsNothing: objects.kind === 'memory' && chosen.kind === 'memory' }),
    }),
    hosts: addressesOf(given.hosts ?? ['localhost']),
    kafkaPort: port,
    advertised: undefined,
    takeOver: takeOverOf(chosen, { asked: given.takeOver ?? false }),
    http: httpOf(given.http ?? false),
    ...(chosen.kind !== 'postgres' && { time: movableTime() }),
    ...(from !== undefined && { beginsWith: { kind: 'snapshot', path: resolve(from) } }),
  }
}

/** The same server in memory, on other ports, starting with the committed data of the server of `plan`. */
export function forkPlan(plan: ServerPlan, of: CopySource, time: MovableTime): ServerPlan {
  const durability = { value: 'memory', source: plan.settings.values.get('durability')?.source ?? 'default' } as const
  const anyPort = { port: 0, movable: false }
  return {
    ...plan,
    dataDirectory: undefined,
    objects: { kind: 'memory' },
    metadata: { kind: 'memory' },
    settings: { ...plan.settings, values: new Map([...plan.settings.values, ['durability', durability]]) },
    kafkaPort: 0,
    advertised: undefined,
    takeOver: 'all at once',
    http: plan.http && { ...plan.http, control: anyPort, data: anyPort },
    time,
    beginsWith: { kind: 'fork', of },
  }
}

/** A server that starts from a snapshot is in memory. */
function checkAlone(given: StartKafkaOptions): void {
  const other = (['dir', 'storage', 'metadata'] as const).find((name) => given[name] !== undefined)
  if (other === undefined) return
  throw new UserError('LKS-1005', {
    what: `from and ${other} exclude each other`,
    why: 'a server that starts from a snapshot is a copy in memory',
    fix: [`remove ${other}`, `remove from`],
  })
}

function settingsOf({ settings: asked = {} }: StartKafkaOptions, { keepsNothing }: { readonly keepsNothing: boolean }): GivenSettings {
  const given: GivenSettings = keepsNothing ? { durability: { value: 'memory', source: 'flag' } } : {}
  for (const [name, value] of Object.entries(asked)) {
    if (!isSetting(name)) {
      const names = agentSettings.map((setting) => setting.name)
      throw new UserError('LKS-1004', {
        what: `'${name}' is not a known setting${didYouMean(name, names)}`,
        fix: ['the settings are in docs/reference/configuration.md'],
      })
    }
    checkOption(name, String(value), name)
    given[name] = { value: String(value), source: 'flag' }
  }
  const durability = given.durability?.value
  if (durability !== undefined && (durability === 'memory') !== keepsNothing)
    throw new UserError('LKS-1005', {
      what: `durability is ${durability}, but the server ${keepsNothing ? 'stores nothing' : 'stores data'}`,
      fix: keepsNothing ? ['remove durability', 'store data: dir, or storage and metadata'] : ['use os or strict'],
    })
  return given
}

function httpOf(given: NonNullable<StartKafkaOptions['http']>): HttpPlan | undefined {
  if (given === false) return undefined
  if (given !== true) checkOptionNames('http of startKafka', given)
  const { controlPort = 0, dataPort = 0, allowedHosts = [] } = given === true ? {} : given
  checkOption('control.port', String(controlPort), 'controlPort')
  checkOption('data.port', String(dataPort), 'dataPort')
  return { control: { port: controlPort, movable: false }, data: { port: dataPort, movable: false }, allowedHosts }
}

function isSetting(name: string): name is AgentSettingName {
  return agentSettings.some((setting) => setting.name === name)
}
