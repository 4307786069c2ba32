// The configs of brokers that change at run time: read from the database and changed in it, one call at a time, and published to this agent after each.
import type { Outcome } from '@local-kafka-service/protocol'
import { assert } from '../core/assert.ts'
import type { ConfigChanges } from '../core/config/config-changes.ts'
import type { ResourceConfigs } from '../metadata/metadata-store.ts'
import { Slots } from '../time/slots.ts'
import type { DynamicConfigs } from '../view/dynamic-configs.ts'

export interface BrokerConfigOperationsParts {
  readonly resources: ResourceConfigs
  readonly dynamicConfigs: DynamicConfigs
  readonly brokerId: number
}

export class BrokerConfigOperations {
  readonly #parts: BrokerConfigOperationsParts
  /** Of two reads, the older one must not be published last. */
  readonly #turn = new Slots(1)
  readonly #never = new AbortController().signal

  constructor(parts: BrokerConfigOperationsParts) {
    this.#parts = parts
  }

  /** A primary read. This agent acts on what it finds from here on. */
  async read(): Promise<void> {
    await this.#turn.run(() => this.#read(), this.#never)
  }

  /** Changes the configs of this broker or of all brokers, all or none of them. This agent acts on the new values from here on, others after their next heartbeat. */
  async change(asked: {
    readonly of: 'this broker' | 'all brokers'
    readonly changes: ConfigChanges
    readonly dryRun: boolean
  }): Promise<Outcome<void>> {
    const { resources, brokerId } = this.#parts
    const { of, changes, dryRun } = asked
    const name = of === 'this broker' ? String(brokerId) : ''
    return await this.#turn.run(async () => {
      const result = await resources.change({ kind: 'broker', name, changes, dryRun })
      if (result.kind === 'rejected')
        return { kind: 'error', code: result.code, ...(result.message !== undefined && { message: result.message }) }
      if (!dryRun) await this.#read()
      return { kind: 'ok', value: undefined }
    }, this.#never)
  }

  /** Removes all values that were set at run time, of every broker. */
  async clear(): Promise<void> {
    const { resources } = this.#parts
    await this.#turn.run(async () => {
      for (const { kind, name } of await resources.list()) {
        if (kind !== 'broker') continue
        const result = await resources.change({ kind, name, changes: { kind: 'full', configs: [] }, dryRun: false })
        assert(result.kind === 'changed', 'the configs of a broker can always be removed')
      }
      await this.#read()
    }, this.#never)
  }

  async #read(): Promise<void> {
    const { resources, dynamicConfigs, brokerId } = this.#parts
    dynamicConfigs.publish(await resources.list(), brokerId)
  }
}
