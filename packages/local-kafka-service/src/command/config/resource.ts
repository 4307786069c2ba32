// The topic or broker whose configs are meant.
import { type Resource, resourceKinds } from '../../cluster/configs.ts'
import { UserError } from '../../user-error.ts'
import type { CommandArgument, Given } from '../client-command.ts'

export const resourceArguments: readonly CommandArgument[] = [
  { name: 'kind', required: true, doc: 'topic or broker.', completes: resourceKinds },
  { name: 'name', required: true, doc: "The topic's name, or the broker's id.", completes: 'topic' },
]

/** Throws a UserError for a kind that is none, and for a broker without a number. */
export function resourceOf({ arguments: [kind = '', name = ''] }: Given): Resource {
  if (kind === 'topic') return { kind, name }
  if (kind === 'broker' && /^\d+$/.test(name)) return { kind, name }
  throw new UserError('LKS-1004', {
    what: kind === 'broker' ? `a broker is named by its id, not '${name}'` : `configs are those of a topic or a broker, not of '${kind}'`,
    fix: ['as in: lks config describe topic orders', 'or: lks config describe broker 1   (see them: lks cluster info)'],
  })
}
