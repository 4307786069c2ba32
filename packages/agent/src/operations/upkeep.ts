// What upkeep does: the state of its jobs, and the sweep of orphans on request.
import { fixedLimits } from '../limits.ts'
import type { JobReports, JobStatus } from '../upkeep/job-report.ts'
import type { OrphanSweep, SweepRequest } from '../upkeep/orphan-sweep.ts'
import type { Sweep } from '../upkeep/sweep.ts'
import type { SweepReport } from '../upkeep/sweep-survey.ts'

export interface UpkeepParts {
  readonly orphans: Pick<OrphanSweep, 'sweep'>
  readonly released: Pick<Sweep, 'planned'>
  readonly reports: Pick<JobReports, 'list'>
}

export class UpkeepOperations {
  readonly #parts: UpkeepParts

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** The jobs of this agent, in a fixed order. */
  jobs(): readonly JobStatus[] {
    return this.#parts.reports.list()
  }

  /**
   * Lists all stored objects, and removes the orphans among them unless it halts. A dry run also explains which released objects will be removed. Resolves when that is done. Rejects as
   * the stores do.
   */
  async sweep(request: SweepRequest, signal: AbortSignal): Promise<SweepReport> {
    const { orphans, released } = this.#parts
    const report = await orphans.sweep(request, signal)
    if (!request.dryRun) return report
    const planned = await released.planned(signal)
    return {
      ...report,
      released: { objects: planned.length, bytes: planned.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) },
      deletions: [...report.deletions, ...planned].slice(0, fixedLimits.sweepReportedDeletions),
    }
  }
}
