// A file of offsets, as `kafka-consumer-groups --export` writes it: one `topic,partition,offset` a line, with the group in front if there are several.
import { byTopicAndPartition, keyOf, type PartitionRef } from '../../cluster/offsets.ts'

export interface FileOffset extends PartitionRef {
  readonly offset: number
}

export type ParsedOffsets =
  | { readonly kind: 'offsets'; readonly offsets: readonly FileOffset[] }
  | { readonly kind: 'wrong'; readonly line: number; readonly why: string }

/**
 * Lines of `topic,partition,offset`, `group,topic,partition,offset` (those of other groups are passed over), or rpk's `topic partition offset`; quotes,
 * empty lines and lines that begin with # are allowed. A partition that is named twice is an error.
 */
export function parseOffsetsFile(text: string, group: string): ParsedOffsets {
  const offsets = new Map<string, FileOffset>()
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const wrong = (why: string): ParsedOffsets => ({ kind: 'wrong', line: at + 1, why })
    const fields = fieldsOf(trimmed)
    const [ofGroup, topic = '', partition = '', offset = ''] = fields.length === 3 ? [group, ...fields] : fields
    if (fields.length < 3 || fields.length > 4 || topic === '' || !/^\d{1,9}$/.test(partition) || !/^\d{1,15}$/.test(offset))
      return wrong(`'${trimmed}' is not topic,partition,offset`)
    if (ofGroup !== group) continue
    const one = { topic, partition: Number(partition), offset: Number(offset) }
    if (offsets.has(keyOf(one))) return wrong(`${keyOf(one)} is named twice`)
    offsets.set(keyOf(one), one)
  }
  return { kind: 'offsets', offsets: [...offsets.values()].toSorted(byTopicAndPartition) }
}

/** In the format that `kafka-consumer-groups --reset-offsets --from-file` reads, too. */
export function offsetsFile(offsets: readonly FileOffset[]): string {
  return offsets.map(({ topic, partition, offset }) => `${topic},${partition},${offset}\n`).join('')
}

function fieldsOf(line: string): readonly string[] {
  const fields = line.includes(',') ? line.split(',') : line.split(/\s+/)
  return fields.map((field) => field.trim().replace(/^"(.*)"$/, '$1'))
}
