// What an agent is made from: the parts that its creator gives, and what all of its own parts share.
import type { Codecs } from '@local-kafka-service/protocol'
import { openGate } from './api/gate.ts'
import { MemberMemory } from './coordinate/member-memory.ts'
import type { Checksum } from './core/checksum.ts'
import type { Limits } from './limits.ts'
import { memoryPlan } from './memory/memory-plan.ts'
import { Packer, type RemotePackers } from './memory/packer.ts'
import { SlabPool } from './memory/slab-pool.ts'
import { type RemoteCodecs, Unpacker } from './memory/unpacker.ts'
import type { MetadataStore } from './metadata/metadata-store.ts'
import type { Interceptor } from './net/interceptor.ts'
import type { Network } from './net/network.ts'
import type { ObjectStore } from './objects/object-store.ts'
import type { AgentEvent, EventHook } from './observe/events.ts'
import type { Gauges } from './observe/gauges.ts'
import type { Meters } from './observe/metrics.ts'
import { RecentFlushes } from './observe/recent-flushes.ts'
import { RecentRequests } from './observe/recent-requests.ts'
import { StoreWatch } from './observe/store-watch.ts'
import { number, type Settings, text } from './settings.ts'
import type { Clock, Random } from './time/clock.ts'
import { Turns } from './time/turns.ts'
import type { RemoteCompaction } from './upkeep/compaction-work.ts'
import { DynamicConfigs } from './view/dynamic-configs.ts'

/** All access to the outside world. An agent has no other, so a simulator can provide it. */
export interface Parts {
  readonly clock: Clock
  /** The clock of sockets, stores and leases, which need real time when `clock` can be moved. Default: `clock`. */
  readonly ioClock?: Clock
  /** The clock of sessions and rebalances of groups, when their time is moved separately. Default: `clock`. */
  readonly sessionClock?: Clock
  readonly random: Random
  readonly network: Network
  /** Opened on the prefix that this cluster has claimed. */
  readonly objects: ObjectStore
  /** Opened for the cluster. */
  readonly metadata: MetadataStore
  readonly codecs: Codecs
  /** Decompression outside the event loop. Default: none, so that it is deterministic. */
  readonly remoteCodecs?: RemoteCodecs
  readonly remotePackers?: RemotePackers
  readonly remoteCompaction?: RemoteCompaction
  readonly crc32c: Checksum
  /** The memory of frames and objects. Default: a pool of the agent's own. Tests have one that overwrites released memory. */
  readonly memory?: SlabPool
  readonly emit: EventHook
  /** What the object store and the database report, if they are watched. */
  readonly storeMeters?: () => Gauges['store']
  readonly databaseAges?: () => Gauges['databaseAges']
  /** True: requests to the object store cost money, so the metrics have their cost. */
  readonly storeCosts?: boolean
  /** The current reason, as reported by the stores, why this agent cannot write. Absent: the agent makes its own. */
  readonly stores?: StoreWatch
  /** The memory of the machine, from which the default of `memory.bytes` follows. Absent: enough for all defaults. */
  readonly machineBytes?: number
  /** Default: those of `memory.bytes`. `metadata` is opened with the same. */
  readonly limits?: Limits
  /** Sees every request and may fail it. Only tests provide one: there is no setting and no command for it. */
  readonly interceptor?: Interceptor
}

/** What all parts share: the given parts with their defaults, and what is made once from them. */
export function baseOf({ clock, ioClock = clock, sessionClock = clock, ...parts }: Parts, given: Settings, meters: Meters) {
  const dynamicConfigs = new DynamicConfigs()
  const settings: Settings = { ...given, dynamic: (name) => dynamicConfigs.valuesOf(name) }
  const { random, codecs, remoteCodecs, remotePackers, crc32c } = parts
  const asked = text(settings, 'memory.bytes')
  const memoryBytes = asked === undefined ? undefined : Number(asked)
  const plan = memoryPlan({ memoryBytes, cacheBytes: number(settings, 'cache.bytes'), machineBytes: parts.machineBytes })
  const { limits = plan.limits } = parts
  const recent = { requests: new RecentRequests(ioClock), flushes: new RecentFlushes(ioClock) }
  const emit = (event: AgentEvent): void => {
    meters.count(event)
    recent.requests.count(event)
    recent.flushes.count(event)
    parts.emit(event)
  }
  const stores = parts.stores ?? new StoreWatch({ emit, clock: ioClock })
  const turns = new Turns(ioClock)
  const memory = parts.memory ?? new SlabPool({ maxFreeBytes: limits.freeSlabBytes })
  const unpacker = new Unpacker({ codecs, ...(remoteCodecs && { remoteCodecs }), clock: ioClock, limits })
  return {
    clock,
    ioClock,
    sessionClock,
    random,
    crc32c,
    memory,
    memberMemory: new MemberMemory(limits.groupBytes),
    unpacker,
    packer: new Packer({ codecs, ...(remotePackers && { remotePackers }), clock: ioClock, limits }),
    limits,
    cacheBytes: plan.cacheBytes,
    settings,
    dynamicConfigs,
    recent,
    emit,
    stores,
    turns,
    gate: openGate,
  }
}

export type AgentBase = ReturnType<typeof baseOf>
