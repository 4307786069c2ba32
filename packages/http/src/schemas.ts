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
  307: 'Another agent owns the partition: Location has its URL',
  400: 'The request is invalid',
  404: 'The topic, partition, group or transactional id does not exist',
  406: 'The server supports none of the accepted media types',
  409: 'The topic already exists, or the group has members',
  413: 'The body is too large',
  416: 'The offset is outside of the partition',
  422: 'The Idempotency-Key was used for another request',
  503: 'The agent cannot answer at the moment: Retry-After has the time to wait',
}

/** The error answers of a route, in addition to the 403 that every route has. */
export function problemAnswers(...statuses: readonly number[]): Readonly<Record<number, object>> {
  return Object.fromEntries(statuses.map((status) => [status, { description: reasons[status] ?? 'An error', ...problemSchema }]))
}
