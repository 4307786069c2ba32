// DescribeAcls 1–3: the access rules that match a filter (KIP-140).
import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from '../schema/dsl.ts'

/** The API DescribeAcls: the fields of its requests and responses in each version. */
export const DescribeAcls = api({
  key: 29,
  name: 'DescribeAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    resourceTypeFilter: int8(),
    resourceNameFilter: string({ nullable: true }),
    patternTypeFilter: int8({ default: 3 }),
    principalFilter: string({ nullable: true }),
    hostFilter: string({ nullable: true }),
    operation: int8(),
    permissionType: int8(),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      patternType: int8({ default: 3 }),
      acls: array({
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
})

/** A decoded request of DescribeAcls: fields that its version lacks have their defaults. */
export interface DescribeAclsRequest extends RequestOf<typeof DescribeAcls> {}
/** A response of DescribeAcls to encode, for any version. */
export interface DescribeAclsResponse extends ResponseOf<typeof DescribeAcls> {}
