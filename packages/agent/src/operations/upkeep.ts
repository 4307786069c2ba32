// What upkeep does: the state of its jobs, and the sweep of orphans on request.
import type { JobReports, JobStatus } from '../upkeep/job-report.ts'
import type { OrphanSweep, SweepRequest } from '../upkeep/orphan-sweep.ts'
import type { SweepReport } from '../upkeep/sweep-survey.ts'

export interface UpkeepParts {
  readonly orphans: Pick<OrphanSweep, 'sweep'>
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

  /** Lists all stored objects, and removes the orphans among them unless it halts. Resolves when that is done. Rejects as the stores do. */
  sweep(request: SweepRequest, signal: AbortSignal): Promise<SweepReport> {
    return this.#parts.orphans.sweep(request, signal)
  }
}
