// The plugins that add thin modules which load the library: for import and require, and for the exports that only add to it.
import type { Plugin } from 'rolldown'
import { library, product } from './entries.ts'

/**
 * `index.cjs` and `index.js`, and `main.js` for the bin. Each process has one library, however it is loaded: Node itself requires it in Node's own global scope,
 * not in the scope that Jest makes for each test file. In Jest's scope each test file would load it again, faked timers would stop the server, and Node's errors
 * would not be `instanceof Error`.
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
      // For users who start this file directly. The bin is main.cjs, which starts slightly faster.
      this.emitFile({ type: 'asset', fileName: 'main.js', source: `#!/usr/bin/env node\nimport './main.cjs'\n` })
    },
  }
}

/** For the other exports: they reach the library through its front. Fails the build if one would contain a second server. */
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
