// Hostile bytes: whatever a client sends, dispatch answers or closes the connection, and there is no defect.
import { type Api, encodeRequest } from '@local-kafka-service/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { handlers } from '../api/index.ts'
import { type AgentForTests, anAgent } from '../api/testing/an-agent.ts'
import { sampleOf } from '../api/testing/samples.ts'

const apis = handlers.map(({ api }) => api)
const anApi = fc
  .constantFrom(...apis)
  .chain((api) => fc.tuple(fc.constant(api), fc.integer({ min: api.versions[0], max: api.versions[1] })))
/** The position of a damaged byte, and its new value. */
const someDamage = fc.array(fc.tuple(fc.nat(300), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), { minLength: 1, maxLength: 4 })

function aFrame(api: Api, version: number, topicId: string): Buffer {
  const header = { version, correlationId: 1, clientId: 'hostile' }
  return Buffer.concat(encodeRequest(api, header, sampleOf(api, version, topicId))).subarray(4)
}

/** Long polls end as if the client had disconnected. */
async function survives(kafka: AgentForTests, frame: Uint8Array): Promise<void> {
  const gone = new AbortController()
  setImmediate(() => gone.abort(new Error('gone')))
  const handled = await kafka.sendFrame(frame, { signal: gone.signal })
  if (handled.kind === 'now' || handled.kind === 'later') await handled.answer
  if (handled.kind === 'none') await handled.close
  const defect = kafka.events.find(({ kind }) => kind === 'defect')
  if (defect?.kind === 'defect') throw new Error(`a defect in ${defect.where}`, { cause: defect.error })
}

test('damaged requests are answered or close the connection, and are never a defect', async () => {
  await using kafka = await anAgent()
  const topicId = await kafka.topic('t')
  await fc.assert(
    fc.asyncProperty(anApi, someDamage, fc.nat(300), async ([api, version], damage, cut) => {
      const frame = aFrame(api, version, topicId)
      for (const [at, byte] of damage) if (at < frame.length) frame[at] = byte
      await survives(kafka, frame)
      await survives(kafka, frame.subarray(0, cut))
    }),
    { numRuns: 400 },
  )
  // The agent still works.
  expect(kafka.agent.health()).toEqual({ ready: true, reasons: [] })
})

test('random bytes are answered or close the connection, and are never a defect', async () => {
  await using kafka = await anAgent()
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => survives(kafka, bytes)),
    { numRuns: 500 },
  )
  expect(kafka.agent.health()).toEqual({ ready: true, reasons: [] })
})
