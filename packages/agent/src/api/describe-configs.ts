// DescribeConfigs describes the configs of topics and of this agent as a broker.
// - Versions: 1–4.
// - KIPs: 133, 226 (sources and synonyms), 569 (types and documentation, 3+).
// - Values, sources, types and documentation come from the table of settings.
// - Left out: loggers, client metrics and groups, which have no configs here.
import { DescribeConfigs, type DescribeConfigsRequest, type DescribeConfigsResponse, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import type { Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { agentSettings, type Setting } from '../settings.ts'
import { failure, topicsByName } from './access.ts'
import { cluster } from './authorized-operations.ts'
import { configSources, configTypes } from './config-sources.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'

const topicResource = 2
const brokerResource = 4

type Uses = Pick<Services, 'turns' | 'topics' | 'gate' | 'owners' | 'settings'>

export const describeConfigs = handler({
  api: DescribeConfigs,
  access: { operation: 'DESCRIBE_CONFIGS', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const results: Result[] = []
    const slice = services.turns.slice()
    const names = request.resources.flatMap((resource) => (resource.resourceType === topicResource ? [resource.resourceName] : []))
    const topics = await topicsByName(names, { operation: 'DESCRIBE_CONFIGS', illegal: 'reported', context, services })
    for (const resource of request.resources) {
      const result = described(resource, { request, context, services, topics })
      results.push(result)
      if (slice.spent(1 + result.configs.length)) await slice.next()
    }
    return { kind: 'now', response: { throttleTimeMs: 0, results } }
  },
  reject: ({ resources }, { code, message }) => ({
    throttleTimeMs: 0,
    results: resources.map((resource) => rejected(resource, { code, ...(message !== null && { message }) })),
  }),
})

type ResourceRequest = DescribeConfigsRequest['resources'][number]
type Result = DescribeConfigsResponse['results'][number]
type Config = Result['configs'][number]
interface ConfigsQuery extends RequestScope<Uses> {
  readonly request: DescribeConfigsRequest
  readonly topics: ReadonlyMap<string, Outcome<Topic>>
}

function described(resource: ResourceRequest, query: ConfigsQuery): Result {
  switch (resource.resourceType) {
    case topicResource:
      return ofTopic(resource, query)
    case brokerResource:
      return ofBroker(resource, query)
    default:
      return rejected(
        resource,
        failure('INVALID_REQUEST', `Resource type ${resource.resourceType} has no configs here: ask for topics (2) or brokers (4).`),
      )
  }
}

function ofTopic(resource: ResourceRequest, query: ConfigsQuery): Result {
  const found = must(query.topics.get(resource.resourceName), 'each topic that the request names')
  if (found.kind === 'error') return rejected(resource, found)
  const configs = query.services.topics.configs(found.value).map(
    (config): Config => ({
      name: config.name,
      value: config.value,
      readOnly: false,
      configSource: configSources[config.source],
      isSensitive: false,
      synonyms: config.synonyms.map(({ name, value, source }) => ({ name, value, source: configSources[source] })),
      configType: configTypes[config.type],
      documentation: config.doc,
    }),
  )
  return answer(resource, configs, query)
}

/** The empty name stands for the cluster-wide defaults that can change at run time: there are none. */
function ofBroker(resource: ResourceRequest, query: ConfigsQuery): Result {
  const { gate, owners } = query.services
  const { resourceName } = resource
  if (!gate.authorize(query.context, 'DESCRIBE_CONFIGS', cluster)) return rejected(resource, failure('CLUSTER_AUTHORIZATION_FAILED'))
  if (resourceName === '') return answer(resource, [], query)
  if (!/^[+-]?\d+$/.test(resourceName))
    return rejected(resource, failure('INVALID_REQUEST', `Broker id must be an integer, but it is: ${resourceName}`))
  if (Number(resourceName) !== owners.brokerId)
    return rejected(
      resource,
      failure('INVALID_REQUEST', `Unexpected broker id, expected ${owners.brokerId} or empty string, but received ${resourceName}`),
    )
  const identity = ['broker.id', 'node.id'].map((name) => fixed(name, String(owners.brokerId)))
  const all: readonly Setting[] = agentSettings
  const settings = all.filter(({ kafka }) => kafka === true).map((setting) => ofSetting(setting, query.services))
  return answer(resource, [...identity, ...settings], query)
}

function ofSetting(setting: Setting, { settings }: Uses): Config {
  const given = [...settings.values].find(([name]) => name === setting.name)?.[1]
  const secret = setting.secret === true
  const value = secret ? null : (given?.value ?? null)
  const source = given === undefined || given.source === 'default' ? 'DEFAULT_CONFIG' : 'STATIC_BROKER_CONFIG'
  const fallback = source === 'DEFAULT_CONFIG' ? value : setting.default.dev
  return {
    name: setting.name,
    value,
    readOnly: true,
    configSource: configSources[source],
    isSensitive: secret,
    synonyms: secret
      ? []
      : [
          ...(source === 'STATIC_BROKER_CONFIG' ? [{ name: setting.name, value, source: configSources[source] }] : []),
          ...(fallback === null ? [] : [{ name: setting.name, value: fallback, source: configSources.DEFAULT_CONFIG }]),
        ],
    configType: configTypes[setting.type],
    documentation: setting.doc,
  }
}

function fixed(name: string, value: string): Config {
  const configSource = configSources.STATIC_BROKER_CONFIG
  return {
    name,
    value,
    readOnly: true,
    configSource,
    isSensitive: false,
    synonyms: [{ name, value, source: configSource }],
    configType: configTypes.int,
    documentation: "The agent's broker id.",
  }
}

/** The configs that the request asks for: all of them when the list is null or empty, as in Kafka. Synonyms and documentation on request only. */
function answer(resource: ResourceRequest, configs: readonly Config[], { request }: ConfigsQuery): Result {
  const { resourceType, resourceName, configurationKeys } = resource
  const wanted = configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys)
  return {
    errorCode: 0,
    // Kafka's text for no error here.
    errorMessage: '',
    resourceType,
    resourceName,
    configs: configs
      .filter(({ name }) => wanted?.has(name) ?? true)
      .map((config) => ({
        ...config,
        synonyms: request.includeSynonyms ? config.synonyms : [],
        documentation: request.includeDocumentation ? config.documentation : null,
      })),
  }
}

function rejected(
  { resourceType, resourceName }: ResourceRequest,
  { code, message }: { readonly code: number; readonly message?: string },
): Result {
  return { errorCode: code, errorMessage: message ?? null, resourceType, resourceName, configs: [] }
}
