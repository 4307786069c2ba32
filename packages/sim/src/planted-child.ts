// The child that a planted bug lives in: patches the sources as they load, then plays its scenario until a seed fails; prints that verdict, or null.
import { plantedBugs } from './planted-bugs.ts'
import { plant } from './plant.ts'

const [, , name, seeds] = process.argv
const bug = plantedBugs.find((row) => row.name === name)
if (bug === undefined) throw new RangeError(`no planted bug is called '${name}'`)
const planted = plant(bug)
// After the hooks stand: whatever these load is patched.
const [{ play }, { scenarios }] = await Promise.all([import('./scenario.ts'), import('./scenarios/index.ts')])
const scenario = scenarios.find((row) => row.name === bug.scenario)
if (scenario === undefined) throw new RangeError(`no scenario is called '${bug.scenario}'`)
planted.complete()

let stray: Error | undefined
process.on('unhandledRejection', (error) => (stray = error instanceof Error ? error : new Error(String(error))))
process.on('uncaughtException', (error) => (stray = error))
let caught = null
for (let seed = 1; seed <= Number(seeds) && caught === null; seed += 1) {
  const verdict = await play(scenario, seed)
  const violations =
    stray === undefined
      ? verdict.violations
      : [...verdict.violations, { rule: 'no defect', message: `nobody caught: ${stray.message}`, atMs: verdict.virtualMs }]
  if (violations.length > 0) caught = { ...verdict, violations }
}
console.log(JSON.stringify(caught))
