// A reporter of Vitest that writes down which clients have passed what, in which version: `pnpm test:compatibility`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node'
import { repository } from '../testing/server.ts'
import { type Exercised, proves, type Results } from './exercised.ts'
import { resultsAfter } from './results.ts'
import { versionOf } from './versions.ts'

const path = join(repository, 'docs/reference/compatibility.json')

export class CompatibilityReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const earlier = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : {}
    const results = resultsAfter(earlier, (row) => statesOf(row, modules), versionOf)
    writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`)
    console.log(`wrote ${path}; pnpm check --write makes the page of it`)
  }
}

/** The states of the tests that prove the row, on any stores. */
function statesOf(row: Exercised, modules: readonly TestModule[]): readonly string[] {
  return modules
    .flatMap((module) => [...module.children.allTests()])
    .filter((test) => proves({ file: basename(test.module.moduleId), suites: suitesAround(test), title: test.name }, row))
    .map((test) => test.result().state)
}

function suitesAround({ parent }: TestCase | TestSuite): readonly string[] {
  return parent.type === 'module' ? [] : [parent.name, ...suitesAround(parent)]
}
