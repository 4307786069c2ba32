// The configs of this broker that were set at run time, as of the last read of the database.
import { brokerConfigs, type DynamicValue } from '../core/config/broker-configs.ts'
import { checkedValue } from '../core/config/value-checks.ts'
import type { ConfiguredResource } from '../metadata/metadata-store.ts'

const none: readonly DynamicValue[] = []

export class DynamicConfigs {
  #values: ReadonlyMap<string, readonly DynamicValue[]> = new Map()

  /** In order of precedence: a value for this broker comes before one for all brokers. */
  valuesOf(name: string): readonly DynamicValue[] {
    return this.#values.get(name) ?? none
  }

  /** Call it after a primary read. */
  publish(resources: readonly ConfiguredResource[], brokerId: number): void {
    const configsOf = (broker: string): ConfiguredResource['configs'] => {
      const row = resources.find(({ kind, name }) => kind === 'broker' && name === broker)
      return row === undefined ? {} : row.configs
    }
    const own = configsOf(String(brokerId))
    const defaults = configsOf('')
    const values = new Map<string, readonly DynamicValue[]>()
    for (const def of brokerConfigs) {
      const found = [
        { given: own[def.name], source: 'DYNAMIC_BROKER_CONFIG' as const },
        { given: defaults[def.name], source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' as const },
      ].flatMap(({ given, source }): readonly DynamicValue[] => {
        const checked = given === undefined ? undefined : checkedValue(def, given)
        // A value that this version does not accept was stored by another one: it does not count.
        return given === undefined || checked?.kind !== 'ok' ? [] : [{ given, source, value: checked.value }]
      })
      if (found.length > 0) values.set(def.name, found)
    }
    this.#values = values
  }
}
