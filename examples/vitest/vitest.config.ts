// One more server, for the tests that do with a shared one.
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { globalSetup: ['local-kafka-service/vitest/setup'] } })
