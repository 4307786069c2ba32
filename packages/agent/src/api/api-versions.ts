// ApiVersions lists every API that has a handler, with its versions.
// - Versions: 0–4. A newer request is answered in version 0, with UNSUPPORTED_VERSION and the list.
// - KIPs: 35, 511 (the client's software, 3+, which the connection remembers), 584, 890 (the feature `transaction.version` 2: clients use Produce 12, TxnOffsetCommit 5 and EndTxn 5 for transactions).
import { type Api, ApiVersions, type ApiVersionsResponse, errors, KafkaError } from '@local-kafka-service/protocol'
import { type Handler, handler } from './handler.ts'

/** Kafka's own pattern. It keeps arbitrary text out of metrics and logs. */
const legalSoftware = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/** `served` is called at each request, because the table of handlers contains this handler too. */
export function apiVersions(served: () => readonly Api[]): Handler<typeof ApiVersions> {
  return handler({
    api: ApiVersions,
    access: { operation: 'NONE', resource: 'none' },
    async handle(request, context) {
      if (context.apiVersion >= 3 && !(legalSoftware.test(request.clientSoftwareName) && legalSoftware.test(request.clientSoftwareVersion)))
        throw new KafkaError('INVALID_REQUEST')
      return { kind: 'now', response: { errorCode: 0, apiKeys: keysOf(served()), ...features } }
    },
    reject: (_request, { code }) => ({ errorCode: code, apiKeys: [] }),
  })
}

/** Kafka's epoch is an offset of its metadata; here features never change. */
const features = {
  supportedFeatures: [{ name: 'transaction.version', minVersion: 0, maxVersion: 2 }],
  finalizedFeaturesEpoch: 0,
  finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 }],
} as const satisfies Partial<ApiVersionsResponse>

/** The answer to a client that is newer than this server: encoded as version 0, with the list from which the client picks a version that both know. */
export function unsupportedVersion(served: readonly Api[]): ApiVersionsResponse {
  return { errorCode: errors.UNSUPPORTED_VERSION.code, apiKeys: keysOf(served) }
}

function keysOf(served: readonly Api[]): ApiVersionsResponse['apiKeys'] {
  return served.map((api) => {
    const [minVersion, maxVersion] = api.advertised ?? api.versions
    return { apiKey: api.key, minVersion, maxVersion }
  })
}
