// Bugs that the simulator must catch: each is a change of the sources as they load, and the scenario whose seeds must fail with it.

export interface PlantedBug {
  readonly name: string
  readonly scenario: string
  readonly edits: readonly PlantedEdit[]
}

export interface PlantedEdit {
  /** Relative to `packages/`. */
  readonly file: string
  /** There exactly once, else the run fails. */
  readonly find: string
  readonly replace: string
}

export const plantedBugs: readonly PlantedBug[] = []
