// Deletes several things by name, after confirmation: the common part of `lks topic delete` and `lks group delete`.
import { counted } from 'local-kafka-service/internal/counted'
import type { ClientCommand } from './client-command.ts'
import { confirm } from './confirm.ts'
import { forEachName } from './each.ts'
import { formatOf, show, tableBlock } from './output/output.ts'

export interface Deletion {
  readonly kind: 'topic' | 'group'
  /** What is deleted with them. */
  readonly contents: 'records' | 'committed offsets'
  /** The key of a name in the JSON of the result. */
  readonly key: 'name' | 'group'
  readonly names: readonly string[]
  readonly act: (name: string) => Promise<unknown>
}

/** Shows what was deleted, also after a failure. */
export async function deleteAll(
  { kind, contents, key, names, act }: Deletion,
  given: Parameters<ClientCommand['run']>[0],
  context: Parameters<ClientCommand['run']>[1],
): Promise<void> {
  await confirm(`Delete ${counted(names.length, kind)} with all ${contents}: ${names.join(', ')}?`, given, context)
  const deleted: string[] = []
  try {
    await forEachName(names, context, async (name) => {
      await act(name)
      deleted.push(name)
    })
  } finally {
    show(context.terminal, formatOf(given), {
      value: deleted.map((name) => ({ [key]: name, deleted: true })),
      names: deleted,
      blocks: deleted.length === 0 ? [] : [tableBlock([{ header: 'DELETED', value: (name: string) => name }], deleted)],
    })
  }
}
