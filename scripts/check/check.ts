// The contract of one check: a name, and what is wrong in words.

export interface Check {
  readonly name: string
  /** Each problem is one line (or a tool's own output), with the file in front where there is one. None: the check passed. */
  run(tree: Tree): Promise<readonly string[]> | readonly string[]
}

/** What the checks look at. */
export interface Tree {
  /** The repository's root, absolute, with a separator at its end. */
  readonly root: string
  /** Paths of all TypeScript files relative to the root, with `/`, sorted; nothing that is generated or installed. */
  readonly sources: readonly string[]
  read(path: string): string
  exists(path: string): boolean
  /** Paths of the files below a folder whose name ends so; empty when there is no such folder. */
  below(folder: string, ending: string): readonly string[]
}
