// Damaged offsets, as the control plane lists them and commands show them.
import type { Column } from './output/table.ts'

export interface DamagedRange {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly lastOffset: number
  /** The key of the stored object. */
  readonly object: string
  /** `missing`, `cut off` or `changed`. */
  readonly kind: string
  readonly message: string
}

export const rangeColumns: readonly Column<DamagedRange>[] = [
  { header: 'TOPIC', value: ({ topic }) => topic },
  { header: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
  { header: 'OFFSETS', value: ({ offset, lastOffset }) => (offset === lastOffset ? offset : `${offset}-${lastOffset}`), align: 'right' },
  { header: 'BYTES ARE', value: ({ kind }) => kind, style: () => 'wrong' },
  { header: 'OBJECT', value: ({ object }) => object },
]

/** `topic[partition]@offset`, as in `lks query -o name`. */
export function rangeName({ topic, partition, offset }: DamagedRange): string {
  return `${topic}[${partition}]@${offset}`
}

export function offsetsIn(ranges: readonly DamagedRange[]): number {
  return ranges.reduce((sum, { offset, lastOffset }) => sum + lastOffset - offset + 1, 0)
}
