// `pnpm test:compatibility`: the tests of other people's clients, with a reporter that writes down what has passed in which version.
import { mergeConfig } from 'vitest/config'
import { CompatibilityReporter } from './test/e2e/compatibility/reporter.ts'
import base from './vitest.config.ts'

export default mergeConfig(base, { test: { reporters: ['default', new CompatibilityReporter()] } })
