// UpdateFeatures 0–2: changes the finalized features of the cluster (KIP-584).
import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API UpdateFeatures: the fields of its requests and responses in each version. */
export const UpdateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexible: 0,
  request: {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool({ versions: '0' }),
      upgradeType: int8({ versions: '1+', default: 1 }),
    }),
    validateOnly: bool({ versions: '1+', default: false }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    results: array(
      {
        feature: string(),
        errorCode: int16(),
        errorMessage: string({ nullable: true }),
      },
      { versions: '0-1', ignorable: true },
    ),
  },
})

/** A decoded request of UpdateFeatures: fields that its version lacks have their defaults. */
export interface UpdateFeaturesRequest extends RequestOf<typeof UpdateFeatures> {}
/** A response of UpdateFeatures to encode, for any version. */
export interface UpdateFeaturesResponse extends ResponseOf<typeof UpdateFeatures> {}
