// The blocks of a guide that say of themselves that they run: commands and programs, as a reader would paste them.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from './server.ts'

export interface CodeBlock {
  /** `sh`, `js` … */
  readonly language: string
  readonly text: string
}

/** Those behind a comment `<!-- runs … -->`, in their order. */
export async function runningBlocks(path: string): Promise<readonly CodeBlock[]> {
  const guide = await readFile(join(repository, path), 'utf8')
  return [...guide.matchAll(/^<!-- runs\b.*-->\n```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', text = '']) => ({ language, text }))
}
