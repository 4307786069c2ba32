// Configs as commands take them: `key=value`.
import { UserError } from 'local-kafka-service/internal/user-error'

/** Throws a UserError for text that is not `key=value`, and for a duplicate key. */
export function configPairs(pairs: readonly string[], said: string): readonly { readonly name: string; readonly value: string }[] {
  const seen = new Set<string>()
  return pairs.map((pair) => {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at).trim()
    if (at <= 0 || name === '')
      throw new UserError('LKS-1004', { what: `${said}: '${pair}' is not key=value`, fix: [`as in: ${said} retention.ms=3600000`] })
    if (seen.has(name)) throw new UserError('LKS-1005', { what: `${said}: ${name} is set twice`, fix: ['name it only once'] })
    seen.add(name)
    return { name, value: pair.slice(at + 1) }
  })
}

export function countAbove(least: number): (value: string) => string | undefined {
  return (value) => (/^\d{1,7}$/.test(value) && Number(value) >= least ? undefined : `must be an integer of at least ${least}`)
}
