// The rules of DescribeConfigs, DescribeCluster and ApiVersions, over a whole agent in memory.
import { ApiVersions, DescribeCluster, DescribeConfigs, type KafkaErrorName } from '@local-kafka-service/protocol'
import { describe, expect, test } from 'vitest'
import { brokerConfigs } from '../core/config/broker-configs.ts'
import { topicConfigs } from '../core/config/topic-configs.ts'
import { agentSettings } from '../settings.ts'
import { codeOf } from './access.ts'
import { type AgentForTests, anAgent } from './testing/an-agent.ts'

const topicType = 2
const brokerType = 4

async function described(
  kafka: AgentForTests,
  resource: { readonly resourceType: number; readonly resourceName: string; readonly configurationKeys?: readonly string[] },
  more: { readonly includeSynonyms?: boolean; readonly includeDocumentation?: boolean } = {},
) {
  const { results } = await kafka.call(DescribeConfigs, 4, { resources: [{ configurationKeys: null, ...resource }], ...more })
  const [result] = results
  if (result === undefined) throw new Error('no answer for the resource')
  return result
}

describe('DescribeConfigs', () => {
  test("answers all of a topic's configs, with the source of each value", async () => {
    await using kafka = await anAgent({ settings: { 'message.max.bytes': { value: '5000', source: 'file' } } })
    await kafka.topic('t', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const { errorCode, configs } = await described(kafka, { resourceType: topicType, resourceName: 't' })
    expect(errorCode).toBe(0)
    expect(configs.map(({ name }) => name).toSorted()).toEqual(topicConfigs.map(({ name }) => name).toSorted())
    expect(configs).toContainEqual(expect.objectContaining({ name: 'message.timestamp.type', value: 'LogAppendTime', configSource: 1 }))
    expect(configs).toContainEqual(expect.objectContaining({ name: 'max.message.bytes', value: '5000', configSource: 4, configType: 3 }))
    expect(configs).toContainEqual(expect.objectContaining({ name: 'cleanup.policy', value: 'delete', configSource: 5, configType: 7 }))
    for (const config of configs) expect(config).toMatchObject({ synonyms: [], documentation: null, isSensitive: false, readOnly: false })
  })

  test('answers only the keys of the request, with synonyms and documentation on request', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t', 1, { 'max.message.bytes': '3000' })
    const resource = { resourceType: topicType, resourceName: 't', configurationKeys: ['max.message.bytes', 'no.such'] }
    const { configs } = await described(kafka, resource, { includeSynonyms: true, includeDocumentation: true })
    expect(configs).toHaveLength(1)
    expect(configs[0]?.synonyms).toEqual([
      { name: 'max.message.bytes', value: '3000', source: 1 },
      { name: 'message.max.bytes', value: '1048588', source: 5 },
    ])
    expect(configs[0]?.documentation).toMatch(/\w+ \w+/)
  })

  test('C12: an empty list of keys means all keys, like null', async () => {
    await using kafka = await anAgent()
    await kafka.topic('t')
    const described = async (configurationKeys: readonly string[] | null) =>
      (await kafka.call(DescribeConfigs, 4, { resources: [{ resourceType: 2, resourceName: 't', configurationKeys }] })).results
    expect((await described([]))[0]?.configs.length).toBeGreaterThan(0)
    expect(await described([])).toEqual(await described(null))
  })

  test('C12: the name of a broker is its id, and the error of another text names that text', async () => {
    await using kafka = await anAgent()
    const messageFor = async (resourceName: string) => {
      const resources = [{ resourceType: 4, resourceName, configurationKeys: null }]
      const { results } = await kafka.call(DescribeConfigs, 4, { resources })
      return results[0]?.errorMessage
    }
    expect(await messageFor('x')).toBe('Broker id must be an integer, but it is: x')
    expect(await messageFor('99')).toMatch(/^Unexpected broker id, expected \d+ or empty string, but received 99$/)
  })

  test('describes this agent as a broker: its id and its settings, and the configs that can change at run time, which are not read-only', async () => {
    await using kafka = await anAgent({ settings: { 'num.partitions': { value: '6', source: 'flag' } } })
    const id = String(kafka.agent.brokerId)
    const { configs } = await described(kafka, { resourceType: brokerType, resourceName: id }, { includeSynonyms: true })
    const kafkas = agentSettings.filter((setting) => 'kafka' in setting).map(({ name }) => name)
    const dynamic = brokerConfigs.map(({ name }) => name)
    expect(new Set(configs.map(({ name }) => name))).toEqual(new Set(['broker.id', 'node.id', ...kafkas, ...dynamic]))
    expect(
      configs
        .filter(({ readOnly }) => !readOnly)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(dynamic.toSorted())
    expect(configs).toContainEqual(expect.objectContaining({ name: 'node.id', value: id, readOnly: true }))
    expect(configs).toContainEqual(
      expect.objectContaining({
        name: 'num.partitions',
        value: '6',
        configSource: 4,
        synonyms: [
          { name: 'num.partitions', value: '6', source: 4 },
          { name: 'num.partitions', value: '1', source: 5 },
        ],
      }),
    )
  })

  test('answers no configs of all brokers while none is set', async () => {
    await using kafka = await anAgent()
    expect(await described(kafka, { resourceType: brokerType, resourceName: '' })).toMatchObject({ errorCode: 0, configs: [] })
  })

  test.each<readonly [string, number, string, KafkaErrorName]>([
    ['an unknown topic', topicType, 'nowhere', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['an illegal name', topicType, 'a b', 'INVALID_TOPIC_EXCEPTION'],
    ['another broker', brokerType, '77', 'INVALID_REQUEST'],
    ['a logger', 8, '1', 'INVALID_REQUEST'],
    ['the group without a name', 32, '', 'INVALID_REQUEST'],
  ])('%s is rejected with a text, and no topic is created', async (_, resourceType, resourceName, error) => {
    await using kafka = await anAgent()
    const result = await described(kafka, { resourceType, resourceName })
    expect(result).toMatchObject({ errorCode: codeOf(error), resourceType, resourceName, configs: [] })
    expect(result.errorMessage).toMatch(/\w+ \w+/)
    expect(await kafka.services.topics.list()).toEqual([])
  })
})

describe('DescribeCluster', () => {
  test('answers the brokers, the controller and the id of the cluster', async () => {
    await using kafka = await anAgent()
    const brokerId = kafka.agent.brokerId
    const answer = await kafka.call(DescribeCluster, 2, { includeClusterAuthorizedOperations: false })
    expect(answer).toMatchObject({ errorCode: 0, endpointType: 1, clusterId: kafka.agent.clusterId, controllerId: brokerId })
    expect(answer.brokers).toEqual([{ brokerId, host: 'kafka.test', port: 9092, rack: null, isFenced: false }])
    expect(answer.clusterAuthorizedOperations).toBe(-0x8000_0000)
  })

  test.each<readonly [number, KafkaErrorName]>([
    [2, 'MISMATCHED_ENDPOINT_TYPE'],
    [9, 'UNSUPPORTED_ENDPOINT_TYPE'],
  ])('endpoints of type %d are rejected', async (endpointType, error) => {
    await using kafka = await anAgent()
    const answer = await kafka.call(DescribeCluster, 1, { includeClusterAuthorizedOperations: false, endpointType })
    expect(answer).toMatchObject({ errorCode: codeOf(error), brokers: [] })
  })
})

test('ApiVersions lists exactly the APIs that have handlers, and Produce from version 0 on for older librdkafka', async () => {
  await using kafka = await anAgent()
  const { apiKeys } = await kafka.call(ApiVersions, 4, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
  const served = Object.fromEntries(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
  expect(served).toEqual({
    0: [0, 13],
    1: [4, 18],
    2: [1, 11],
    3: [0, 13],
    8: [2, 10],
    9: [1, 10],
    10: [0, 6],
    11: [0, 9],
    12: [0, 4],
    13: [0, 5],
    14: [0, 5],
    15: [0, 6],
    16: [0, 5],
    17: [0, 1],
    18: [0, 4],
    19: [2, 7],
    20: [1, 6],
    21: [0, 2],
    22: [0, 5],
    23: [2, 4],
    24: [0, 5],
    25: [0, 4],
    26: [0, 5],
    27: [1, 2],
    28: [0, 5],
    29: [1, 3],
    32: [1, 4],
    33: [0, 2],
    34: [1, 2],
    35: [1, 5],
    36: [0, 2],
    37: [0, 3],
    42: [0, 2],
    43: [0, 2],
    44: [0, 1],
    45: [0, 1],
    46: [0, 0],
    47: [0, 0],
    55: [0, 2],
    57: [0, 2],
    60: [0, 2],
    61: [0, 0],
    65: [0, 0],
    66: [0, 2],
    64: [0, 0],
    68: [0, 1],
    74: [0, 1],
    75: [0, 0],
  })
})
