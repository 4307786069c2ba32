// What is said to those who ask of PostgreSQL what only a database of our own can do.
import { UserError } from '../user-error.ts'

export function ofPostgres(what: string): UserError {
  return new UserError('LKS-1401', {
    what: `this Kafka keeps its metadata in PostgreSQL, so ${what}`,
    why: 'PostgreSQL has its own clock, and is not copied in an instant',
    fix: ['start one that keeps it elsewhere: startKafka(), or startKafka({ dir })'],
  })
}
