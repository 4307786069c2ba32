// The data directory of a world: volumes on a disk that is slow, fails, and loses power. One life uses it at a time, as the lock of a data directory ensures.
import {
  type ByteRange,
  MemoryObjects,
  nativeCrc32c,
  type ObjectStore,
  type RecoveryParts,
  recover,
  SimulatedDisk,
  VolumeObjects,
} from '@local-kafka-service/agent/simulation'
import type { Chance, Range } from './chance.ts'
import type { Life } from './life.ts'
import { LifeClock } from './life-clock.ts'
import type { VirtualTime } from './sim-clock.ts'
import type { Trace } from './trace.ts'

export interface DiskFaults {
  /** Of a sync, a large write, or a read. */
  readonly latencyMs: Range
  /** A write that stops in the middle, because the disk is full or broken. */
  readonly write: number
  readonly sync: number
}

export const faultlessDisk: DiskFaults = { latencyMs: [0.1, 3], write: 0, sync: 0 }

/** What a world's volumes are like. Small ones, so that they are sealed and rewritten all the time. */
export interface VolumeSetup {
  /** Under `os`, a loss of power takes acknowledged records, so that nothing here loses power. */
  readonly durability: 'strict' | 'os'
  readonly volumeBytes: number
  readonly smallVolumes: number
}

export interface VolumeDiskParts {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly trace: Trace
  readonly setup: VolumeSetup
  /** A loss of power took what was committed. */
  readonly lost: (message: string) => void
}

export class VolumeDisk {
  faults: DiskFaults = faultlessDisk
  readonly #parts: VolumeDiskParts
  readonly #disk = new SimulatedDisk()
  /** The file that says whose directory it is. It is not in a volume, and survives all. */
  readonly #plain = new MemoryObjects()
  #open: VolumeObjects | undefined
  /** Power was lost since the last recovery. */
  #lostPower = false

  constructor(parts: VolumeDiskParts) {
    this.#parts = parts
    const { time, chance } = parts
    this.#disk.later = () => time.sleep(chance.between(this.faults.latencyMs))
    this.#disk.fault = (call) => (chance.happens(this.faults[call]) ? chance.pick(['full', 'io'] as const) : undefined)
  }

  get durability(): VolumeSetup['durability'] {
    return this.#parts.setup.durability
  }

  /** What must be there whatever happens next, for the checker: under `strict`, what the worst loss of power at this moment would leave. */
  get stored(): ObjectStore {
    let view: { readonly of: number; readonly volumes: ObjectStore } | undefined
    const now = (): ObjectStore => {
      const { changes } = this.#disk
      if (view?.of !== changes) {
        const left = this.#disk.afterPowerLoss(() => this.durability === 'os')
        view = { of: changes, volumes: this.#volumes(left, { time: this.#parts.time }) }
      }
      return view.volumes
    }
    return {
      put: (key, body) => now().put(key, body),
      putIfAbsent: (key, body) => this.#plain.putIfAbsent(key, body),
      read: (key, range?: ByteRange) => now().read(key, range),
      remove: (keys) => now().remove(keys),
      list: (prefix, options) => now().list(prefix, options),
      close: async () => {},
    }
  }

  /** The volumes as this life finds them. */
  open(life: Life): ObjectStore {
    const { time, trace } = this.#parts
    const store = this.#volumes(this.#disk, { time, life, onNotice: (message) => trace.write(life.name, message) })
    this.#open = store
    const gated = <T>(result: Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        result.then(
          (value) => life.deliver(() => resolve(value)),
          (error: unknown) => life.deliver(() => reject(error)),
        )
      })
    return {
      put: (key, body, signal) => gated(store.put(key, body, signal)),
      putIfAbsent: (key, body, signal) => gated(store.putIfAbsent(key, body, signal)),
      read: (key, range, signal) => gated(store.read(key, range, signal)),
      remove: (keys, signal) => gated(store.remove(keys, signal)),
      list: (prefix, options) => store.list(prefix, options),
      close: async () => {},
    }
  }

  /** The process has ended by itself, and closed its volumes. */
  async close(): Promise<void> {
    await this.#open?.close()
    this.#open = undefined
    this.#disk.crash()
  }

  /** The process was killed: the system has what it wrote. */
  crash(): void {
    this.#open = undefined
    this.#disk.crash()
  }

  /** The process has ended, and what was not synced is lost in part: single pages, whole files, or the names of files. */
  losePower(): void {
    const { chance, trace } = this.#parts
    const keeps = chance.pick([0, 0.5, 0.5, 0.9])
    trace.write('disk', `loses power, and keeps ${keeps} of what was not synced`)
    this.#open = undefined
    this.#disk.losePower(() => chance.happens(keeps))
    this.#lostPower = true
  }

  /** What the product does at its first start after a loss of power. Under `strict` it must find everything. */
  async recover(parts: RecoveryParts): Promise<void> {
    if (!this.#lostPower) return
    const recovered = await recover(parts, 'reject')
    if (recovered.kind !== 'recovered') this.#parts.lost(`the recovery after a loss of power: ${recovered.kind}`)
    this.#lostPower = false
  }

  /** The system writes everything to the disk, as it does now and then. */
  writeBack(): void {
    this.#disk.writeBack()
  }

  #volumes(
    disk: SimulatedDisk,
    { time, life, onNotice }: { readonly time: VirtualTime; readonly life?: Life; readonly onNotice?: (message: string) => void },
  ): VolumeObjects {
    const { chance, setup } = this.#parts
    return new VolumeObjects({
      files: disk.files,
      plain: this.#plain,
      crc32c: nativeCrc32c,
      nonce: () => chance.bytes(8),
      clock: life === undefined ? time : new LifeClock(time, life),
      ...setup,
      ...(onNotice && { onNotice }),
    })
  }
}
