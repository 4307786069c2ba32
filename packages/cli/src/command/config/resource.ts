// The topic or broker that a config command names.
import { UserError } from 'local-kafka-service/internal/user-error'
import { type ConfigResource, resourceKinds } from '../../cluster/configs.ts'
import type { CommandArgument, ParsedCommand } from '../client-command.ts'

export const resourceArguments: readonly CommandArgument[] = [
  { name: 'kind', required: true, doc: 'topic or broker.', completes: resourceKinds },
  { name: 'name', required: true, doc: "The topic's name, or the broker's id.", completes: 'topic' },
]

/** Throws a UserError for an unknown kind, and for a broker that is not a number. */
export function resourceOf({ arguments: [kind = '', name = ''] }: ParsedCommand): ConfigResource {
  if (kind === 'topic') return { kind, name }
  if (kind === 'broker' && /^\d+$/.test(name)) return { kind, name }
  throw new UserError('LKS-1004', {
    what:
      kind === 'broker'
        ? `'${name}' is not a valid broker id`
        : `'${kind}' is not a valid kind of resource: only topics and brokers have configs`,
    fix: ['as in: lks config describe topic orders', 'or: lks config describe broker 1   (list them: lks cluster info)'],
  })
}
