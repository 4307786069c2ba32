// The generated reference pages match the tables in the code.
import { join } from 'node:path'
import type { Check } from './check.ts'
import { runNode } from './tools.ts'

export const reference: Check = {
  name: 'generated pages',
  async run(tree) {
    const made = await referencePages(tree.root)
    if (typeof made === 'string') return [made]
    const stale = Object.entries(made.pages)
      .filter(([path, text]) => !tree.exists(path) || tree.read(path) !== text)
      .map(([path]) => `${path}: does not match the code; pnpm check --write renews it`)
    return [...made.problems, ...stale]
  },
}

interface Made {
  /** Path → content. */
  readonly pages: Readonly<Record<string, string>>
  readonly problems: readonly string[]
}

/** Returns an error text if the pages could not be made. Starts a separate process, because only that can have the condition lks-source. */
export async function referencePages(root: string): Promise<Made | string> {
  const { ok, output } = await runNode(['--conditions=lks-source', join(root, 'scripts/check/reference-pages.ts')], root)
  return ok ? (JSON.parse(output) as Made) : output
}
