// DescribeAcls answers as a broker without an authorizer: there are no access rules.
// - Versions: 1–3.
// - KIPs: 140, 290 (patterns).
import { DescribeAcls, errors } from '@local-kafka-service/protocol'
import { handler } from './handler.ts'

export const describeAcls = handler({
  api: DescribeAcls,
  access: { operation: 'DESCRIBE', resource: 'cluster' },
  async handle() {
    const errorCode = errors.SECURITY_DISABLED.code
    return {
      kind: 'now',
      response: { throttleTimeMs: 0, errorCode, errorMessage: 'No Authorizer is configured on the broker', resources: [] },
    }
  },
  reject: (_request, { code, message }) => ({ throttleTimeMs: 0, errorCode: code, errorMessage: message, resources: [] }),
})
