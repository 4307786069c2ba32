// The error of calls that need a database under our control, if the metadata is in PostgreSQL.
import { UserError } from '../user-error.ts'

export function ofPostgres(what: string): UserError {
  return new UserError('LKS-1401', {
    what: `this server keeps its metadata in PostgreSQL, so ${what}`,
    why: 'PostgreSQL has its own clock, and cannot be copied at once',
    fix: ['start a server that keeps it elsewhere: startKafka(), or startKafka({ dir })'],
  })
}
