// The metrics of the jobs of upkeep.
import type { Gauges } from './gauges.ts'
import type { Metric } from './metric.ts'

/** Prometheus has a label `job` of its own, so theirs is `upkeep`. */
export function jobMetrics({ jobs }: Gauges): readonly Metric[] {
  return [
    {
      name: 'lks_upkeep_backlog',
      help: 'What each job of upkeep still has to do, as of its last look, by unit.',
      type: 'gauge',
      samples: jobs.flatMap(({ job, backlog }) =>
        Object.entries(backlog).map(([unit, value]) => ({ labels: { upkeep: job, unit }, value })),
      ),
    },
    {
      name: 'lks_upkeep_last_pass_age_seconds',
      help: 'Time since the last pass of each job of upkeep.',
      type: 'gauge',
      samples: jobs.flatMap(({ job, lastPassAgeSeconds: value }) => (value === undefined ? [] : [{ labels: { upkeep: job }, value }])),
    },
    {
      name: 'lks_upkeep_problem',
      help: '1 if the last pass of a job of upkeep did not do its work; GET /upkeep has the reason.',
      type: 'gauge',
      samples: jobs.map(({ job, hasProblem }) => ({ labels: { upkeep: job }, value: hasProblem ? 1 : 0 })),
    },
  ]
}
