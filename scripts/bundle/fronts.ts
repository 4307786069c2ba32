// The plugins that put modules in front of the library: for import and require, and for the exports that only add to it.
import type { Plugin } from 'rolldown'
import { library, product } from './entries.ts'

/**
 * `index.cjs` and `index.js`, and `main.js` in front of the bin. There is one library per process, whoever loads it and how: it is required by Node itself, in Node's own global scope, past
 * the one that Jest makes for each test file. In there it would be loaded for each anew, faked timers would stop the server, and an error of Node would
 * be no `instanceof Error`.
 */
export function libraryFronts(): Plugin {
  return {
    name: 'library fronts',
    generateBundle(_options, bundle) {
      const chunk = bundle[`${library.name}.cjs`]
      if (chunk?.type !== 'chunk') throw new Error(`${library.name}.cjs was not built`)
      const lines = [
        `const { createRequire } = require('node:vm').runInThisContext('process').getBuiltinModule('node:module')`,
        `const library = createRequire(__filename)('./${library.name}.cjs')`,
        ...chunk.exports.map((name) => `exports.${name} = library.${name}`),
      ]
      this.emitFile({ type: 'asset', fileName: 'index.cjs', source: `${lines.join('\n')}\n` })
      this.emitFile({ type: 'asset', fileName: 'index.js', source: `export { ${chunk.exports.join(', ')} } from './index.cjs'\n` })
      // For whoever starts the file itself; the bin is the one behind it, which starts a little sooner.
      this.emitFile({ type: 'asset', fileName: 'main.js', source: `#!/usr/bin/env node\nimport './main.cjs'\n` })
    },
  }
}

/** For the exports beside the library: they reach it through its front. One that would bring a server of its own is refused. */
export function throughTheLibrary(extension: 'js' | 'cjs'): Plugin {
  return {
    name: 'through the library',
    async resolveId(source, importer) {
      const resolved = importer === undefined ? null : await this.resolve(source, importer, { skipSelf: true })
      return resolved?.id === library.source ? { id: `./index.${extension}`, external: true } : resolved
    },
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== 'chunk') continue
        const foreign = file.moduleIds.find((id) => !id.startsWith(`${product}src/`) && !id.startsWith('\0') && !id.startsWith('rolldown:'))
        if (foreign !== undefined) throw new Error(`${file.fileName} would contain ${foreign}: it must reach that through src/index.ts`)
      }
    },
  }
}
