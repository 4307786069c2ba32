// Narrow limits: in half of the worlds, limits that production rarely reaches are drawn so small that they are reached all the time.
import { defaultLimits, type Limits } from '@local-kafka-service/agent'
import type { Chance, Range } from './chance.ts'

/** From a limit that is reached at every step to one that is reached now and then; the agent can serve with each. */
const narrow: Readonly<Record<keyof Limits, Range>> = {
  uncommittedBytes: [300, 5_000],
  unpackedBytes: [100, 5_000],
  fetchAnswersBytes: [1_000, 50_000],
  httpAnswersBytes: [1_000, 50_000],
  admissionWaitMs: [50, 10_000],
  batchesPerFlush: [1, 20],
  putsInFlight: [1, 8],
  putDeadlineMs: [2_000, 20_000],
  commitRollbacksMs: [500, 20_000],
  metadataDeadlineMs: [1_000, 10_000],
  segmentBytes: [100, 1_000],
  tailSegments: [1, 8],
  tails: [1, 3],
  segmentsPerFind: [1, 4],
  fetchBytes: [100, 5_000],
  requestsInFlightPerConnection: [1, 8],
  smallFrameBytes: [100, 500],
  smallFramePoolBytes: [8_192, 65_536],
  framePoolBytes: [8_192, 65_536],
  socketReadAheadBytes: [100, 5_000],
  socketPendingBytes: [200, 20_000],
  heartbeatMs: [200, 2_000],
  drainMs: [1_000, 30_000],
  batchSlabBytes: [1, 16_384],
  compactionMapBytes: [1, 200],
  compactionObjectBytes: [1, 2_000],
  pooledFrameBytes: [1, 4_096],
  readBlockBytes: [50, 5_000],
  // Scenarios of retention set it: elsewhere nothing is old enough to go.
  retentionFirstMs: [3_600_000, 3_600_000],
  readersGraceMs: [3_600_000, 3_600_000],
  fetchAnswerHeldRatio: [1, 8],
  mergeObjectBytes: [200, 20_000],
  mergeSources: [2, 30],
  mergeQuietMs: [1, 3_000],
  mergeTwiceBytes: [100, 10_000],
  freeSlabBytes: [1, 1_000_000],
  tailBytes: [1, 5_000],
  repackedBytes: [1, 10_000],
  groupBytes: [40_000, 1_000_000],
  readAheadMaxBytes: [100, 20_000],
  readAheadRequestBytes: [100, 10_000],
  mergeSegmentBytes: [100, 2_000],
  copiedPieceBytes: [1, 1_000],
  decodedRequestBytes: [1_000, 100_000],
  fetchSessionBytes: [1, 50_000],
  slotMoveMs: [50, 1_000],
}

/** Worlds are small: with the sizes of production no memory would be used again. */
const ofAllWorlds: Partial<Limits> = {
  batchSlabBytes: 4_096,
  pooledFrameBytes: 1,
  readBlockBytes: 4_096,
  retentionFirstMs: 3_600_000,
  readersGraceMs: 3_600_000,
  fetchAnswerHeldRatio: 1_000,
  copiedPieceBytes: 1,
}

/** The limits of one world. */
export function narrowLimits(chance: Chance, report: (what: string) => void): Limits {
  const limits: { -readonly [Name in keyof Limits]: number } = { ...defaultLimits, ...ofAllWorlds }
  if (!chance.happens(0.5)) return limits
  for (const [name, range] of Object.entries(narrow)) {
    if (!chance.happens(0.4)) continue
    // The cast is earned by the table's own type.
    const limit = name as keyof Limits
    limits[limit] = chance.whole(range)
    report(`${name} is ${limits[limit]}`)
  }
  return limits
}
