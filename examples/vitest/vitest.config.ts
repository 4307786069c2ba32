// Starts one more server, which tests can share.
import { defineConfig } from 'vitest/config'

export default defineConfig({ test: { globalSetup: ['local-kafka-service/vitest/setup'] } })
