// UpdateFeatures rejects every change: the levels of this server's features are fixed, as ApiVersions says.
// - Versions: 0–2.
// - KIPs: 584, 778 (types of upgrades, 1+), 1022 (2).
import { errors, UpdateFeatures, type UpdateFeaturesRequest } from '@local-kafka-service/protocol'
import type { Services } from '../services.ts'
import { handler } from './handler.ts'

type Update = UpdateFeaturesRequest['featureUpdates'][number]

export const updateFeatures = handler({
  api: UpdateFeatures,
  access: { operation: 'ALTER', resource: 'cluster' },
  async handle({ featureUpdates: [first] }, { apiVersion }, { owners }: Pick<Services, 'owners'>) {
    if (first === undefined) return { kind: 'now', response: { throttleTimeMs: 0, errorCode: 0, errorMessage: null, results: [] } }
    // Kafka's text names the first feature with an error only.
    const { feature, maxVersionLevel } = first
    const errorMessage = `The update failed for all features since the following feature had an error: Invalid update version ${maxVersionLevel} for feature ${feature}. ${reason(first, { apiVersion, brokerId: owners.brokerId })}`
    return { kind: 'now', response: { throttleTimeMs: 0, errorCode: errors.INVALID_UPDATE_VERSION.code, errorMessage, results: [] } }
  },
  reject: (_request, { code, message }) => ({ throttleTimeMs: 0, errorCode: code, errorMessage: message, results: [] }),
})

function reason(
  { feature, maxVersionLevel, upgradeType }: Update,
  { apiVersion, brokerId }: { readonly apiVersion: number; readonly brokerId: number },
): string {
  const known = apiVersion === 0 || (upgradeType >= 1 && upgradeType <= 3)
  if (!known) return 'The controller does not support the given upgrade type.'
  if (maxVersionLevel < 0) return 'A feature version cannot be less than 0.'
  if (maxVersionLevel === 0) return `Feature ${feature} not found.`
  return `Local controller ${brokerId} does not support this feature.`
}
