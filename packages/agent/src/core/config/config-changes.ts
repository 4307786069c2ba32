// Changes to the configs of a resource, decided as Kafka's controller decides them: in the order of its checks and with its texts.
import { errors, type KafkaErrorName, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../assert.ts'
import type { ConfigDef } from './config-def.ts'
import { checkedValue, listItems } from './value-checks.ts'

/** The configs that were set for one resource, by name. */
export type OwnConfigs = Readonly<Record<string, string>>

export type ConfigChanges =
  /** Changes single configs; the others keep their values. */
  | { readonly kind: 'incremental'; readonly changes: readonly AlterConfigOp[] }
  /** Replaces all configs; those that are not named get their defaults. */
  | { readonly kind: 'full'; readonly configs: readonly { readonly name: string; readonly value: string | null }[] }

export interface AlterConfigOp {
  readonly name: string
  readonly operation: 'SET' | 'DELETE' | 'APPEND' | 'SUBTRACT'
  readonly value: string | null
}

/** The configs of one kind of resource. */
export interface ConfigTable {
  readonly defs: readonly ConfigDef[]
  /** False: Kafka has no lists among them, whatever the types of their values are. */
  readonly appendable?: false
  /** Kafka's error for names that the table does not have, in the order of the request. */
  readonly unknown: (names: readonly string[]) => { readonly error: KafkaErrorName; readonly message: string }
  /** Kafka's text for an item that is added to something that is not a list, or removed from it, where it is not that of topics. */
  readonly notAList?: (name: string, operation: 'APPEND' | 'SUBTRACT') => string
  /** Kafka's error for a wrong value. Default: INVALID_CONFIG. */
  readonly wrongValue?: KafkaErrorName
  /** Values are stored as they were given, not in their normal form. */
  readonly verbatim?: true
  /** A rule over several configs; undefined if it holds. */
  readonly conflict?: (value: (name: string) => string) => string | undefined
}

/** The configs after the changes. Repeating the same changes gives the same configs. */
export function changedConfigs(own: OwnConfigs, changes: ConfigChanges, table: ConfigTable): Outcome<OwnConfigs> {
  const list: readonly AlterConfigOp[] =
    changes.kind === 'incremental' ? changes.changes : changes.configs.map((config) => ({ ...config, operation: 'SET' }))
  if (new Set(list.map(({ name }) => name)).size < list.length) return failed('INVALID_REQUEST', 'Error due to duplicate config keys')
  const nulls = list.filter(({ operation, value }) => operation !== 'DELETE' && value === null)
  if (nulls.length > 0) return failed('INVALID_REQUEST', `Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`)
  const defOf = (name: string): ConfigDef | undefined => table.defs.find((def) => def.name === name)
  const wanted = new Map(changes.kind === 'incremental' ? Object.entries(own) : [])
  const set: string[] = []
  for (const { name, operation, value } of list) {
    const def = defOf(name)
    if ((operation === 'APPEND' || operation === 'SUBTRACT') && (def?.type !== 'list' || table.appendable === false))
      return failed(
        'INVALID_CONFIG',
        table.notAList?.(name, operation) ?? `Can't ${operation} to key ${name} because its type is not LIST.`,
      )
    if (operation === 'DELETE') {
      wanted.delete(name)
      continue
    }
    set.push(name)
    const given = must(value ?? undefined, 'a value that is not null')
    if (operation === 'SET' || def === undefined) {
      wanted.set(name, given)
      continue
    }
    const items = listItems(given)
    const former = listItems(wanted.get(name) ?? def.default)
    if (operation === 'APPEND') wanted.set(name, [...former, ...items.filter((item) => !former.includes(item))].join(','))
    if (operation === 'SUBTRACT') wanted.set(name, former.filter((item) => !items.includes(item)).join(','))
  }
  return checkedConfigs(wanted, set, { table, defOf })
}

/** Kafka reports an unknown name before a wrong value. */
function checkedConfigs(
  wanted: Map<string, string>,
  set: readonly string[],
  { table, defOf }: { readonly table: ConfigTable; readonly defOf: (name: string) => ConfigDef | undefined },
): Outcome<OwnConfigs> {
  const unknown = set.filter((name) => defOf(name) === undefined)
  if (unknown.length > 0) {
    const { error, message } = table.unknown(unknown)
    return failed(error, message)
  }
  for (const name of set) {
    const def = defOf(name)
    const value = wanted.get(name)
    if (def === undefined || value === undefined) continue
    const checked = checkedValue(def, value)
    if (checked.kind === 'error') return table.wrongValue === undefined ? checked : { ...checked, code: errors[table.wrongValue].code }
    if (table.verbatim === undefined) wanted.set(name, checked.value)
  }
  const conflict = table.conflict?.((name) => wanted.get(name) ?? must(defOf(name), 'a config of the table').default)
  return conflict === undefined ? { kind: 'ok', value: Object.fromEntries(wanted) } : failed('INVALID_CONFIG', conflict)
}

function failed(error: KafkaErrorName, message: string): Outcome<never> {
  return { kind: 'error', code: errors[error].code, message }
}
