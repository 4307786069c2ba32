// The plugin that puts tsc's declarations beside the bundle: those that the exports reach, for import and for require.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Plugin } from 'rolldown'
import { exported, product } from './entries.ts'

/** The folder into which tsc writes them (packages/local-kafka-service/tsconfig.build.json). */
const written = `${product}types`

/** TypeScript treats a `.d.ts` of this package as an ES module, so `require` needs the same text as `.d.cts`. */
export function declarations(): Plugin {
  return {
    name: 'declarations',
    generateBundle() {
      const modules = new Set<string>()
      const required = new Set<string>()
      for (const { source, require } of exported) {
        const file = join(written, relative(`${product}src`, source).replace(/\.ts$/, '.d.ts'))
        reach(file, modules)
        if (require) reach(file, required)
      }
      const emit = (file: string, extension: 'js' | 'cjs'): void => {
        const fileName = relative(written, file).replace(/\.ts$/, extension === 'js' ? '.ts' : '.cts')
        const source = textOf(file).replace(relativeImport, `$1$2.${extension}$3`)
        this.emitFile({ type: 'asset', fileName, source })
      }
      for (const file of modules) emit(file, 'js')
      for (const file of required) emit(file, 'cjs')
    },
  }
}

/** In tsc's declarations they name sources. */
const relativeImport = /((?:from|import)\s*\(?\s*['"])(\.[^'"]+)\.[jt]s(['"])/g

function reach(file: string, reached: Set<string>): void {
  if (reached.has(file)) return
  reached.add(file)
  for (const [, , path = ''] of textOf(file).matchAll(relativeImport)) reach(join(dirname(file), `${path}.d.ts`), reached)
}

function textOf(file: string): string {
  if (!existsSync(file)) throw new Error(`${file} is missing: run pnpm build, which runs tsc`)
  return readFileSync(file, 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n')
}
