// What every Metadata Service must do. A test file calls it once per database.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterId, Incarnation, Nonce, Sequence, TopicId } from '../core/ids.ts'
import { objectKey } from '../core/object-key.ts'
import { slotOfPartition, slotsOfNewCluster } from '../core/slots.ts'
import { limits } from '../limits.ts'
import { ManualClock, runningClock } from '../time/testing/manual-clock.ts'
import type { CommitBatch, CommitInput, CommitOutcome, CommitResult, MetadataStore, Registration, Topic, Verdict } from './metadata-store.ts'
import { openMetadata } from './open.ts'
import type { Outcome, Sql } from './sql.ts'
import type { Verbs } from './verbs.ts'

/** A database that is empty at first; every test makes a cluster of its own in it. */
export interface ContractDatabase {
  /** Another handle of the same database: what several agents have. In memory it is the same one, and closing it closes nothing. */
  connect(): Promise<Sql<Verbs>>
  dispose(): Promise<void>
}
