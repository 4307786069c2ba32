// ApiVersions 0–4: which APIs, versions and features this server has. Its response header is always version 0.
import { api, array, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API ApiVersions: the fields of its requests and responses in each version. */
export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: string({ versions: '3+', ignorable: true }),
    clientSoftwareVersion: string({ versions: '3+', ignorable: true }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({
      apiKey: int16(),
      minVersion: int16(),
      maxVersion: int16(),
    }),
    throttleTimeMs: int32({ versions: '1+', ignorable: true }),
    supportedFeatures: array(
      {
        name: string(),
        minVersion: int16(),
        maxVersion: int16(),
      },
      { versions: '3+', tag: 0, ignorable: true },
    ),
    finalizedFeaturesEpoch: int64({ versions: '3+', default: -1, tag: 1, ignorable: true }),
    finalizedFeatures: array(
      {
        name: string(),
        maxVersionLevel: int16(),
        minVersionLevel: int16(),
      },
      { versions: '3+', tag: 2, ignorable: true },
    ),
    zkMigrationReady: bool({ versions: '3+', default: false, tag: 3, ignorable: true }),
  },
})

/** A decoded request of ApiVersions: fields that its version lacks have their defaults. */
export interface ApiVersionsRequest extends RequestOf<typeof ApiVersions> {}
/** A response of ApiVersions to encode, for any version. */
export interface ApiVersionsResponse extends ResponseOf<typeof ApiVersions> {}
