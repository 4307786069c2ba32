// Configs that change at run time: what each request answers, and that the agent acts on the new value.
import { AlterConfigs, DescribeConfigs, IncrementalAlterConfigs, ListConfigResources, Produce } from '@local-kafka-service/protocol'
import { expect, test } from 'vitest'
import type { Gate } from './gate.ts'
import { type AgentForTests, aBatch, anAgent } from './testing/an-agent.ts'

const set = (name: string, value: string | null, configOperation = 0) => ({ name, configOperation, value })

async function alter(
  kafka: AgentForTests,
  resources: readonly { readonly resourceType?: number; readonly resourceName?: string; readonly configs: readonly object[] }[],
  options: { readonly validateOnly?: boolean; readonly gate?: Gate } = {},
) {
  const { validateOnly = false, gate } = options
  const asked = resources.map((resource) => ({ resourceType: 2, resourceName: 't', ...resource }))
  const request = { resources: asked, validateOnly } as Parameters<typeof kafka.call<typeof IncrementalAlterConfigs>>[2]
  const { responses } = await kafka.call(IncrementalAlterConfigs, 1, request, gate && { services: { gate } })
  return responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
}

async function valueOf(kafka: AgentForTests, name: string, resource = { resourceType: 2, resourceName: 't' }) {
  const { results } = await kafka.call(DescribeConfigs, 4, { resources: [{ ...resource, configurationKeys: [name] }] })
  return results[0]?.configs.map(({ value, configSource }) => [value, configSource])[0]
}

test('a changed config takes effect on the next request', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const produce = async () => {
    const topicData = [{ name: 't', partitionData: [{ index: 0, records: aBatch(['a value of some length']) }] }]
    const { responses } = await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1_000, topicData })
    return responses[0]?.partitionResponses[0]?.errorCode
  }
  expect(await produce()).toBe(0)
  expect(await alter(kafka, [{ configs: [set('max.message.bytes', '20')] }])).toEqual([[0, null]])
  expect(await valueOf(kafka, 'max.message.bytes')).toEqual(['20', 1])
  expect(await produce()).toBe(10)
  expect(await alter(kafka, [{ configs: [set('max.message.bytes', null, 1)] }])).toEqual([[0, null]])
  expect(await valueOf(kafka, 'max.message.bytes')).toEqual(['1048588', 5])
  expect(await produce()).toBe(0)
})

test('a request that is only validated, or is wrong, changes nothing', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'flush.ms': '1' })
  expect(await alter(kafka, [{ configs: [set('flush.ms', '2')] }], { validateOnly: true })).toEqual([[0, null]])
  expect(await alter(kafka, [{ configs: [set('flush.ms', '2'), set('segment.ms', 'x')] }])).toEqual([[40, expect.stringMatching(/LONG/)]])
  expect(await alter(kafka, [{ configs: [set('flush.ms', '2', 9)] }])).toEqual([[-1, null]])
  expect(await alter(kafka, [{ configs: [set('flush.ms', '2')] }, { configs: [set('flush.ms', '3')] }])).toEqual([
    [42, 'Each resource must appear at most once.'],
    [42, 'Each resource must appear at most once.'],
  ])
  expect(await valueOf(kafka, 'flush.ms')).toEqual(['1', 1])
})

test('AlterConfigs resets what it does not name', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'flush.ms': '1', 'segment.ms': '2' })
  const resources = [{ resourceType: 2, resourceName: 't', configs: [{ name: 'segment.ms', value: '3' }] }]
  expect((await kafka.call(AlterConfigs, 2, { resources, validateOnly: false })).responses).toMatchObject([{ errorCode: 0 }])
  expect(await valueOf(kafka, 'segment.ms')).toEqual(['3', 1])
  expect(await valueOf(kafka, 'flush.ms')).toEqual(['9223372036854775807', 5])
})

test.each([
  ['a missing topic', { resourceName: 'nope' }, [3, "The topic 'nope' does not exist."]],
  ['the topic without a name', { resourceName: '' }, [42, 'Default topic resources are not allowed.']],
  ['an unknown type', { resourceType: 99 }, [42, 'Unknown resource type 99']],
  ['a broker', { resourceType: 4, resourceName: '1' }, [42, 'Cannot update these configs dynamically: [flush.ms]']],
  ['all brokers', { resourceType: 4, resourceName: '' }, [42, 'Cannot update these configs dynamically: [flush.ms]']],
  ['another broker', { resourceType: 4, resourceName: '77' }, [42, 'Unexpected broker id, expected 1, but received 77']],
  ['a broker that is not a number', { resourceType: 4, resourceName: 'x' }, [42, 'Node id must be an integer, but it is: x']],
  ['a group', { resourceType: 32, resourceName: 'g' }, [40, 'Unknown group config name: flush.ms']],
  ['the group without a name', { resourceType: 32, resourceName: '' }, [42, 'Default group resources are not allowed.']],
  ['client metrics', { resourceType: 16, resourceName: 'm' }, [42, 'Unknown client metrics configuration: flush.ms']],
])('the configs of %s are rejected as by Kafka', async (_what, resource, result) => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  expect(await alter(kafka, [{ ...resource, configs: [set('flush.ms', '1')] }])).toEqual([result])
})

test('client metrics are stored, described and listed beside topics and the broker', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t')
  const metrics = { resourceType: 16, resourceName: 'm' }
  expect(await alter(kafka, [{ ...metrics, configs: [set('interval.ms', '1000')] }])).toEqual([[0, null]])
  expect(await valueOf(kafka, 'interval.ms', metrics)).toEqual(['1000', 7])
  expect(await valueOf(kafka, 'metrics', metrics)).toEqual(['', 5])
  const listed = async (resourceTypes: readonly number[]) => {
    const { errorCode, configResources } = await kafka.call(ListConfigResources, 1, { resourceTypes })
    return [errorCode, ...configResources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)]
  }
  expect(await listed([])).toEqual([0, '16 m', '4 1', '2 t'])
  expect(await listed([2])).toEqual([0, '2 t'])
  expect(await listed([2, 99])).toEqual([35])
  expect((await kafka.call(ListConfigResources, 0, {})).configResources).toMatchObject([{ resourceName: 'm' }])
})

test('a client without the right changes nothing and learns nothing', async () => {
  await using kafka = await anAgent()
  await kafka.topic('t', 1, { 'flush.ms': '1' })
  const gate: Gate = { authorize: () => false, throttle: () => 0 }
  const configs = [set('flush.ms', '2')]
  const resources = [{ configs }, { resourceType: 4, resourceName: '1', configs }, { resourceType: 32, resourceName: 'g', configs }]
  expect((await alter(kafka, resources, { gate })).map(([code]) => code)).toEqual([29, 31, 30])
  expect(await valueOf(kafka, 'flush.ms')).toEqual(['1', 1])
})
