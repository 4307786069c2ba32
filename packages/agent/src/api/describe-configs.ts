// DescribeConfigs describes the configs of topics, groups and client metrics, and of this agent as a broker.
// - Versions: 1–4.
// - KIPs: 133, 226 (sources and synonyms), 569 (types and documentation, 3+).
// - Values, sources, types and documentation come from the table of settings.
// - Left out: loggers, whose levels cannot change here.
import { DescribeConfigs, type DescribeConfigsRequest, type DescribeConfigsResponse, type Outcome } from '@local-kafka-service/protocol'
import { must } from '../core/assert.ts'
import { brokerConfigs, type DynamicValue } from '../core/config/broker-configs.ts'
import { clientMetricsConfigs } from '../core/config/client-metrics-configs.ts'
import type { ConfigDef } from '../core/config/config-def.ts'
import { groupConfigs } from '../core/config/group-configs.ts'
import type { ConfiguredResource, Topic } from '../metadata/metadata-store.ts'
import type { Services } from '../services.ts'
import { agentSettings, type Setting, type Settings } from '../settings.ts'
import { failure, topicsByName } from './access.ts'
import { cluster } from './authorized-operations.ts'
import { configResources, configSources, configTypes } from './config-sources.ts'
import { mayTouchGroup } from './group-access.ts'
import { handler } from './handler.ts'
import type { RequestScope } from './request-context.ts'

type Uses = Pick<Services, 'turns' | 'topics' | 'resources' | 'brokerConfigs' | 'gate' | 'owners' | 'settings'>

export const describeConfigs = handler({
  api: DescribeConfigs,
  access: { operation: 'DESCRIBE_CONFIGS', resource: 'topic' },
  async handle(request, context, services: Uses) {
    const results: Result[] = []
    const slice = services.turns.slice()
    const names = request.resources.flatMap((resource) => (resource.resourceType === configResources.TOPIC ? [resource.resourceName] : []))
    const topics = await topicsByName(names, { operation: 'DESCRIBE_CONFIGS', illegal: 'reported', context, services })
    const metrics = request.resources.some(({ resourceType }) => resourceType === configResources.CLIENT_METRICS)
    const configured = metrics ? await services.resources.list() : []
    if (request.resources.some(({ resourceType }) => resourceType === configResources.BROKER)) await services.brokerConfigs.read()
    for (const resource of request.resources) {
      const result = described(resource, { request, context, services, topics, configured })
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
  readonly configured: readonly ConfiguredResource[]
}

function described(resource: ResourceRequest, query: ConfigsQuery): Result {
  switch (resource.resourceType) {
    case configResources.TOPIC:
      return ofTopic(resource, query)
    case configResources.BROKER:
      return ofBroker(resource, query)
    case configResources.CLIENT_METRICS:
      return ofClientMetrics(resource, query)
    case configResources.GROUP:
      return ofGroup(resource, query)
    default:
      return rejected(
        resource,
        failure(
          'INVALID_REQUEST',
          `Resource type ${resource.resourceType} has no configs here: ask for topics (2), brokers (4), client metrics (16) or groups (32).`,
        ),
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

/** The empty name stands for the values that were set at run time for all brokers. */
function ofBroker(resource: ResourceRequest, query: ConfigsQuery): Result {
  const { gate, owners } = query.services
  const { resourceName } = resource
  if (!gate.authorize(query.context, 'DESCRIBE_CONFIGS', cluster)) return rejected(resource, failure('CLUSTER_AUTHORIZATION_FAILED'))
  if (resourceName === '') return answer(resource, defaultsOfBrokers(query.services), query)
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
  const others = brokerConfigs.filter(({ name }) => !all.some((setting) => setting.name === name))
  return answer(resource, [...identity, ...settings, ...others.map((def) => ofBrokerConfig(def, query.services))], query)
}

function defaultsOfBrokers({ settings }: Uses): readonly Config[] {
  return brokerConfigs.flatMap(({ name, type, doc }) => {
    const found = changedValues(settings, name).find(({ source }) => source === 'DYNAMIC_DEFAULT_BROKER_CONFIG')
    if (found === undefined) return []
    const synonyms = [synonymOf(name, found)]
    const configSource = configSources[found.source]
    return [
      {
        name,
        value: found.given,
        readOnly: false,
        configSource,
        isSensitive: false,
        synonyms,
        configType: configTypes[type],
        documentation: doc,
      },
    ]
  })
}

/** Only the settings of a running agent have any. */
function changedValues({ dynamic }: Settings, name: string): readonly DynamicValue[] {
  return dynamic === undefined ? [] : dynamic(name)
}

function synonymOf(name: string, { given, source }: DynamicValue): Config['synonyms'][number] {
  return { name, value: given, source: configSources[source] }
}

/** Any name has the defaults, also that of a subscription that does not exist, as in Kafka. */
function ofClientMetrics(resource: ResourceRequest, query: ConfigsQuery): Result {
  const { resourceName } = resource
  if (!query.services.gate.authorize(query.context, 'DESCRIBE_CONFIGS', cluster))
    return rejected(resource, failure('CLUSTER_AUTHORIZATION_FAILED'))
  if (resourceName === '') return rejected(resource, failure('INVALID_REQUEST', 'Client metrics subscription name must not be empty'))
  // A subscription that does not exist has no configs of its own.
  const own = query.configured.find(({ kind, name }) => kind === 'client metrics' && name === resourceName)?.configs ?? {}
  const configs = clientMetricsConfigs.map(({ name, type, doc, default: fallback }): Config => {
    const value = own[name] ?? fallback
    const configSource = configSources[own[name] === undefined ? 'DEFAULT_CONFIG' : 'CLIENT_METRICS_CONFIG']
    const synonyms = own[name] === undefined ? [] : [{ name, value, source: configSource }]
    return { name, value, readOnly: false, configSource, isSensitive: false, synonyms, configType: configTypes[type], documentation: doc }
  })
  return answer(resource, configs, query)
}

/** Any name has the defaults, also that of a group that does not exist, as in Kafka. */
function ofGroup(resource: ResourceRequest, query: ConfigsQuery): Result {
  const { context, services } = query
  if (!mayTouchGroup(resource.resourceName, { operation: 'DESCRIBE_CONFIGS', context, services }))
    return rejected(resource, failure('GROUP_AUTHORIZATION_FAILED'))
  if (resource.resourceName === '') return rejected(resource, failure('INVALID_REQUEST', 'Group name must not be empty'))
  const configSource = configSources.DEFAULT_CONFIG
  const configs = groupConfigs.map(
    ({ name, type, doc, default: value, synonym = name }): Config => ({
      name,
      value,
      readOnly: false,
      configSource,
      isSensitive: false,
      synonyms: [{ name: synonym, value, source: configSource }],
      configType: configTypes[type],
      documentation: doc,
    }),
  )
  return answer(resource, configs, query)
}

/** A config of the broker that is not a setting of the agent: it has its default until it is set at run time. */
function ofBrokerConfig({ name, type, doc, default: ofTopics, synonymFallback }: ConfigDef, { settings }: Uses): Config {
  const changed = changedValues(settings, name)
  const [first] = changed
  const fallback = synonymFallback === undefined ? { name, value: ofTopics } : first && synonymFallback
  return {
    name,
    value: first?.value ?? fallback?.value ?? null,
    readOnly: false,
    configSource: configSources[first?.source ?? 'DEFAULT_CONFIG'],
    isSensitive: false,
    synonyms: [
      ...changed.map((value) => synonymOf(name, value)),
      ...(fallback === undefined ? [] : [{ ...fallback, source: configSources.DEFAULT_CONFIG }]),
    ],
    configType: configTypes[type],
    documentation: doc,
  }
}

function ofSetting(setting: Setting, { settings }: Uses): Config {
  const { name } = setting
  const given = [...settings.values].find(([of]) => of === name)?.[1]
  const secret = setting.secret === true
  const started = secret ? null : (given?.value ?? null)
  const startedFrom = given === undefined || given.source === 'default' ? 'DEFAULT_CONFIG' : 'STATIC_BROKER_CONFIG'
  const fallback = startedFrom === 'DEFAULT_CONFIG' ? started : setting.default[settings.mode]
  const changed = changedValues(settings, name)
  const [first] = changed
  return {
    name,
    value: first?.value ?? started,
    readOnly: !brokerConfigs.some((def) => def.name === name),
    configSource: configSources[first?.source ?? startedFrom],
    isSensitive: secret,
    synonyms: secret
      ? []
      : [
          ...changed.map((value) => synonymOf(name, value)),
          ...(startedFrom === 'STATIC_BROKER_CONFIG' ? [{ name, value: started, source: configSources[startedFrom] }] : []),
          ...(fallback === null ? [] : [{ name, value: fallback, source: configSources.DEFAULT_CONFIG }]),
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
