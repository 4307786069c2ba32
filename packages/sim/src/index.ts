// The simulator's exports for other tests and tools: playing a scenario under a seed, and the lists of scenarios and planted bugs.
export type { PlantedBug } from './planted-bug.ts'
export { plantedBugs } from './planted-bugs.ts'
export { play, type Scenario, type SeedResult } from './scenario.ts'
export { scenarioOf, scenarios } from './scenarios/index.ts'
