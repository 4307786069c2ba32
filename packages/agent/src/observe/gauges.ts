// The values that a scrape reads from the parts that own them.
import type { ByteGauge } from './byte-budget.ts'

/** One part of the memory that the agent holds for clients. */
export interface MemoryUse extends ByteGauge {
  readonly part: string
}

/** The values that a scrape reads from their owners. */
export interface Gauges {
  readonly connections: number
  readonly uncommittedBytes: number
  readonly memory: readonly MemoryUse[]
  /** The memory behind those parts, and what waits to be used again. */
  readonly slabs: { readonly usedBytes: number; readonly freeBytes: number }
  readonly flushesInFlight: number
  readonly heartbeatAgeSeconds: number
  readonly damagedPlaces: number
  readonly compaction: { readonly dirtyPartitions: number; readonly dirtyBytes: number }
  /** The jobs of upkeep. */
  readonly jobs: readonly {
    readonly job: string
    /** Undefined: none since the start. */
    readonly lastPassAgeSeconds: number | undefined
    readonly backlog: Readonly<Record<string, number>>
    readonly hasProblem: boolean
  }[]
  readonly merge: { readonly segments: number; readonly bytes: number }
  readonly cache: { readonly bytes: number; readonly hits: number; readonly misses: number }
  readonly store: readonly {
    readonly operation: string
    readonly count: number
    readonly failed: number
    /** The failures by their kind (ObjectStoreErrorKind). */
    readonly failedBy: Readonly<Record<string, number>>
    readonly seconds: number
    readonly bytes: number
    readonly perHour: number
  }[]
  /** Undefined: the database does not report them, or has not so far. */
  readonly databaseAges?: { readonly oldestXminAge: number; readonly longestTransactionMs: number } | undefined
  /** The dollars of a request, by its operation. Absent: requests cost nothing. */
  readonly storePrices?: Readonly<Record<string, number>>
}
