// A bug that is planted into the sources as they load.

export interface PlantedBug {
  readonly name: string
  readonly scenario: string
  readonly edits: readonly PlantedEdit[]
}

export interface PlantedEdit {
  /** Relative to `packages/`. */
  readonly file: string
  /** Must occur exactly once, otherwise the run fails. */
  readonly find: string
  readonly replace: string
}
