// What each job of upkeep reports about itself: its last pass, its next one, what it still has to do, and its last problem. A job registers itself.
import type { Clock } from '../time/clock.ts'

/** A job as it is shown to people. Times are those of the agent's wall clock. */
export interface JobStatus {
  readonly job: string
  /** What it does, in words. */
  readonly about: string
  /** Several agents share this job, and another one has it now. */
  readonly elsewhere: boolean
  readonly running: boolean
  /** Undefined: no pass has ended since the start of the agent. */
  readonly lastPass: { readonly beganAtMs: number; readonly endedAtMs: number } | undefined
  /** Undefined: only on request, or not known yet. */
  readonly nextPassAtMs: number | undefined
  /** How far the present pass has come, in words. */
  readonly progress: string | undefined
  /** What it still has to do, as of its last look, by unit: `objects`, `bytes` … Empty: nothing, or it does not know. */
  readonly backlog: Readonly<Record<string, number>>
  /** Why the last pass did not do its work, in words. */
  readonly problem: string | undefined
}

/** The jobs of one agent, in the order in which they registered. */
export class JobReports {
  readonly #clock: Pick<Clock, 'now'>
  readonly #jobs: JobReport[] = []

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  register(job: JobToRegister): JobReport {
    const report = new JobReport(job, this.#clock)
    this.#jobs.push(report)
    return report
  }

  list(): readonly JobStatus[] {
    return this.#jobs.map((job) => job.status())
  }
}

export interface JobToRegister {
  readonly job: string
  readonly about: string
  /** Read when somebody asks. */
  readonly backlog?: () => Readonly<Record<string, number>>
  /** Of several agents, this one has the job. Absent: each agent has one of its own. */
  readonly isMine?: () => boolean
  /** A problem that lasts until it is solved, besides that of the last pass. */
  readonly problem?: () => string | undefined
}

export class JobReport {
  readonly #job: JobToRegister
  readonly #clock: Pick<Clock, 'now'>
  #beganAtMs: number | undefined
  #lastPass: JobStatus['lastPass']
  #nextPassAtMs: number | undefined
  #progress: string | undefined
  #problem: string | undefined

  constructor(job: JobToRegister, clock: Pick<Clock, 'now'>) {
    this.#job = job
    this.#clock = clock
  }

  began(): void {
    this.#beganAtMs = this.#clock.now()
    this.#progress = undefined
  }

  progress(words: string): void {
    this.#progress = words
  }

  /** The pass has ended; `problem`: before its work was done. */
  ended(problem?: string): void {
    const endedAtMs = this.#clock.now()
    this.#lastPass = { beganAtMs: this.#beganAtMs ?? endedAtMs, endedAtMs }
    this.#beganAtMs = undefined
    this.#progress = undefined
    this.#problem = problem
  }

  /** The next pass begins after this time. */
  nextIn(ms: number): void {
    this.#nextPassAtMs = this.#clock.now() + ms
  }

  status(): JobStatus {
    const { job, about, backlog, problem, isMine } = this.#job
    return {
      job,
      about,
      elsewhere: isMine !== undefined && !isMine(),
      running: this.#beganAtMs !== undefined,
      lastPass: this.#lastPass,
      nextPassAtMs: this.#nextPassAtMs,
      progress: this.#progress,
      // Absent: the job does not know what is left to do.
      backlog: backlog?.() ?? {},
      problem: problem?.() ?? this.#problem,
    }
  }
}
