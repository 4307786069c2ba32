// Schemas that several routes share.

export const problemSchema = {
  type: 'object',
  required: ['error', 'error_code', 'message', 'docs', 'request_id'],
  additionalProperties: true,
  properties: {
    error: { type: 'string' },
    error_code: { type: 'integer', description: 'The HTTP status.' },
    kafka: { type: 'object', required: ['code', 'name'], properties: { code: { type: 'integer' }, name: { type: 'string' } } },
    message: { type: 'string' },
    hint: { type: 'string' },
    docs: { type: 'string', description: 'A path on this server that explains the error.' },
    request_id: { type: 'string' },
  },
} as const

const reasons: Readonly<Record<number, string>> = {
  307: 'Another agent owns the partition: Location says where',
  400: 'The request is wrong',
  404: 'No such topic, partition or group',
  406: 'None of the accepted media types can be answered',
  409: 'It exists already, or it is in use',
  413: 'The body is too large',
  416: 'The offset is outside of the partition',
  422: 'The Idempotency-Key stands for another request',
  503: 'A service behind the agent is away: Retry-After says when to try again',
}

/** The error answers of a route, beside the 403 that each can give. */
export function problemAnswers(...statuses: readonly number[]): Readonly<Record<number, object>> {
  return Object.fromEntries(statuses.map((status) => [status, { description: reasons[status] ?? 'An error', ...problemSchema }]))
}
