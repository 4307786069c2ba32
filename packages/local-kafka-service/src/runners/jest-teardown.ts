// Jest's globalTeardown: ends the server of its globalSetup.
import { shared } from './jest-shared.ts'

/** Called by Jest after the last test. */
export default async function teardown(): Promise<void> {
  await shared.kafka?.stop()
  shared.kafka = undefined
}
