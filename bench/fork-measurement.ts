// What `fork-program.ts` measures.

export const forkedInstanceCount = 50

export interface ForkMeasurement {
  /** The median time of one fork. */
  readonly loneMs: number
  readonly togetherMs: number
  /** The growth of the process per fork. */
  readonly eachMb: number
  readonly snapshotMs: number
  readonly snapshotKib: number
  readonly fromSnapshotMs: number
}
