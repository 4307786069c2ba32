// pnpm check: runs one small check of this repository after another. `--graph` prints which folder imports which, `--write` renews generated files.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Check, Tree } from './check/check.ts'
import { circles } from './check/circles.ts'
import { commitSubjects } from './check/commit-subjects.ts'
import { compatibility, compatibilityPage, compatibilityText } from './check/compatibility.ts'
import { defaults } from './check/defaults.ts'
import { documented } from './check/documented.ts'
import { asMermaid, asTable, importGraph } from './check/graph.ts'
import { houseRules } from './check/house-rules.ts'
import { links } from './check/links.ts'
import { publicSurface, surfaces, surfaceText } from './check/public-surface.ts'
import { manifests, published, renewed } from './check/published.ts'
import { reference, referencePages } from './check/reference.ts'
import { build, consoleTypes, format, lint, types } from './check/tools.ts'
import { openTree } from './check/tree.ts'
import { typeNames } from './check/type-names.ts'
import { uml } from './check/uml.ts'
import { wordList } from './check/word-list.ts'

/** They run in this order, because `build` writes the declarations that `publicSurface` reads. */
const checks: readonly Check[] = [
  build,
  types,
  consoleTypes,
  lint,
  format,
  houseRules,
  circles,
  typeNames,
  wordList,
  defaults,
  commitSubjects,
  uml,
  reference,
  compatibility,
  published,
  publicSurface,
  documented,
  links,
]

const usage = `pnpm check [--graph | --graph=mermaid | --write | --only=NAME]
  --graph          print which folder imports which (with the number of files)
  --graph=mermaid  the same as a diagram
  --write          renew the generated files: docs/reference with the public surfaces, the published exports
  --only=NAME      run only the checks whose name contains NAME
checks: ${checks.map(({ name }) => name).join(', ')}`

const [argument, ...rest] = process.argv.slice(2)
const tree = openTree()

if (argument === undefined) process.exitCode = await runAll(checks, tree)
else if (rest.length > 0) process.exitCode = misused()
else if (argument === '--graph') console.log(asTable(importGraph(tree)))
else if (argument === '--graph=mermaid') console.log(asMermaid(importGraph(tree)))
else if (argument === '--write') process.exitCode = await writeGenerated(tree)
else if (argument.startsWith('--only=')) {
  const chosen = checks.filter(({ name }) => name.includes(argument.slice('--only='.length)))
  process.exitCode = chosen.length === 0 ? misused() : await runAll(chosen, tree)
} else process.exitCode = misused()

/** Returns the exit code: 0 if every check passed. */
async function runAll(chosen: readonly Check[], of: Tree): Promise<number> {
  let failed = 0
  for (const check of chosen) {
    const began = performance.now()
    const problems = await check.run(of)
    const took = `${((performance.now() - began) / 1000).toFixed(1)} s`
    console.log(`${problems.length === 0 ? 'ok    ' : 'FAILED'}  ${check.name.padEnd(18)} ${took}`)
    for (const problem of problems) console.log(problem.replace(/^/gm, '        '))
    if (problems.length > 0) failed++
  }
  console.log(`\n${chosen.length - failed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

async function writeGenerated(of: Tree): Promise<number> {
  const made = await referencePages(of.root)
  const broken = typeof made === 'string' ? [made] : [...made.problems]
  const files = typeof made === 'string' ? {} : { ...made.pages }
  files[compatibilityPage] = compatibilityText(of)
  for (const path of manifests) files[path] = renewed(of.read(path))
  const built = await build.run(of)
  broken.push(...built)
  if (built.length === 0) for (const surface of surfaces) files[surface.copy] = surfaceText(surface, of)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(of.root, path)), { recursive: true })
    writeFileSync(join(of.root, path), text)
    console.log(`wrote ${path}`)
  }
  for (const problem of broken) console.log(problem)
  return broken.length === 0 ? 0 : 1
}

function misused(): number {
  console.log(usage)
  return 2
}
