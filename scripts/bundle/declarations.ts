// The plugin that puts declarations beside the bundle: what the exported entries reach of those that tsc wrote, once for import and once for require.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Plugin } from 'rolldown'
import { libraries, modules, product } from './entries.ts'

/** Where tsc writes them (packages/local-kafka-service/tsconfig.build.json). */
const written = `${product}types`

/** TypeScript takes a `.d.ts` of this package for a module, so `require` needs the same text as `.d.cts`. */
export function declarations(): Plugin {
  return {
    name: 'declarations',
    generateBundle() {
      const emit = (source: string, extension: 'ts' | 'cts'): void => {
        const done = new Set<string>()
        const visit = (file: string): void => {
          if (done.has(file)) return
          done.add(file)
          if (!existsSync(file)) throw new Error(`${file} is missing: run pnpm build, which has tsc write it`)
          const text = readFileSync(file, 'utf8').replace(/\n?\/\/# sourceMappingURL=.*\s*$/, '\n')
          for (const specifier of relativeImports(text)) visit(join(dirname(file), specifier.replace(/\.[jt]s$/, '.d.ts')))
          this.emitFile({
            type: 'asset',
            fileName: relative(written, file).replace(/\.d\.ts$/, `.d.${extension}`),
            source: text.replace(
              relativeImport,
              (whole, before: string, path: string, after: string) => `${before}${path}.${extension === 'ts' ? 'js' : 'cjs'}${after}`,
            ),
          })
        }
        visit(source)
      }
      const declared = (source: string): string => join(written, relative(`${product}src`, source).replace(/\.ts$/, '.d.ts'))
      for (const { source } of libraries) for (const extension of ['ts', 'cts'] as const) emit(declared(source), extension)
      for (const { source } of modules) emit(declared(source), 'ts')
    },
  }
}

const relativeImport = /((?:from|import)\s*\(?\s*['"])(\.[^'"]+)\.[jt]s(['"])/g

function relativeImports(text: string): readonly string[] {
  return [...text.matchAll(relativeImport)].map(([, , path = '']) => `${path}.ts`)
}
