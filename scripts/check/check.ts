// The contract of one check: a name, and a list of problems.

export interface Check {
  readonly name: string
  /** Each problem is one line (or a tool's own output), and begins with the file if there is one. An empty list: the check passed. */
  run(tree: Tree): Promise<readonly string[]> | readonly string[]
}

/** The files that the checks read. */
export interface Tree {
  /** The repository's root, absolute, with a separator at its end. */
  readonly root: string
  /** Paths of all TypeScript files relative to the root, with `/`, sorted; without generated and installed files. */
  readonly sources: readonly string[]
  read(path: string): string
  exists(path: string): boolean
  /** Paths of the files below a folder whose names have the ending; empty if there is no such folder. */
  below(folder: string, ending: string): readonly string[]
}
