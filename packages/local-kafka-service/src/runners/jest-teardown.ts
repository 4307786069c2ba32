// Jest's globalTeardown: stops the server that globalSetup started.
import { shared } from './jest-shared.ts'

/** Jest calls it after the last test. */
export default async function teardown(): Promise<void> {
  await shared.kafka?.stop()
  shared.kafka = undefined
}
