// One consumer group of an embedded server, by its id.
import type { AgentEvent, AgentOperations } from '@local-kafka-service/agent'
import type { GroupDescription, KafkaGroup, ReadyOptions, SeekOptions, SeekTo } from './group.ts'
import { groupState, lagOf, whyNotCaughtUp, whyNotReady } from './group-state.ts'
import { checkOptionNames } from './option-names.ts'
import { RefusedError } from './rejection-error.ts'
import { valueOf, withRejections } from './rejections.ts'
import { untilFound, type Wait, type WaitParts, wait } from './wait.ts'
import type { WaitOptions } from './wait-options.ts'

export interface GroupHandleParts extends WaitParts {
  readonly operations: AgentOperations
  readonly timeoutMs: number
  /** The report in the error of a wait that timed out. */
  readonly report: () => Promise<string>
  /** Runs a call unless the server was stopped, and keeps the process alive meanwhile. */
  readonly asked: <T>(work: () => Promise<T>) => Promise<T>
}

export function groupHandle(id: string, parts: GroupHandleParts): KafkaGroup {
  const { operations, asked } = parts
  const ready: KafkaGroup['ready'] = (members = 1, options = {}) => asked(() => untilReady(id, members, { options, parts, from: ready }))
  const caughtUp: KafkaGroup['caughtUp'] = (options = {}) => asked(() => untilCaughtUp(id, { options, parts, from: caughtUp }))
  return {
    id,
    ready,
    caughtUp,
    lag: async () => lagOf(await asked(() => known(id, parts))),
    describe: () => asked(() => known(id, parts)),
    seek: (to, options) => asked(() => seek(id, to, options ?? {}, operations)),
    expel: async (memberId) => [...valueOf(await asked(() => withRejections(operations.groups.expel(id, memberId))))],
  }
}

async function known(id: string, { operations }: GroupHandleParts): Promise<GroupDescription> {
  const group = await groupState(operations, id)
  if (group !== undefined) return group
  const others = (await withRejections(operations.groups.list())).map(({ groupId }) => groupId)
  throw new RefusedError(
    'GROUP_ID_NOT_FOUND',
    `group '${id}' does not exist; ${others.length === 0 ? 'there are no groups' : `the groups are: ${others.join(', ')}`}`,
  )
}

interface Ask<O> {
  readonly options: O
  readonly parts: GroupHandleParts
  readonly from: Wait<unknown>['from']
}

async function untilReady(id: string, members: number, { options, parts, from }: Ask<ReadyOptions>): Promise<void> {
  const call = `group('${id}').ready(${members})`
  checkOptionNames('ready', options)
  if (!Number.isInteger(members) || members < 1) throw new TypeError(`${call}: the number of members must be an integer of at least 1`)
  const { listeners, operations } = parts
  await waitUntil(
    call,
    async () => {
      const group = await groupState(operations, id)
      return whyNotReady(group, { members, clients: options.fetching === false ? undefined : listeners.clients })
    },
    {
      options,
      parts,
      from,
      matters: (event) => (event.kind === 'request' ? event.api === 'Fetch' : event.kind === 'group changed' && event.groupId === id),
    },
  )
}

async function untilCaughtUp(id: string, { options, parts, from }: Ask<WaitOptions>): Promise<void> {
  checkOptionNames('caughtUp', options)
  await waitUntil(`group('${id}').caughtUp()`, async () => whyNotCaughtUp(await groupState(parts.operations, id)), {
    options,
    parts,
    from,
    matters: (event) => event.kind === 'topic deleted' || ('groupId' in event && (event.groupId === id || event.groupId === null)),
  })
}

async function waitUntil(
  call: string,
  whyNot: () => Promise<string | undefined>,
  { options, parts, from, matters }: Ask<WaitOptions> & { readonly matters: (event: AgentEvent) => boolean },
): Promise<void> {
  let why = ''
  await wait(
    {
      call,
      timeoutMs: options.timeoutMs ?? parts.timeoutMs,
      from,
      work: (signal) =>
        untilFound(
          async () => {
            const reason = await whyNot()
            why = reason ?? ''
            return reason === undefined ? true : undefined
          },
          { listeners: parts.listeners, signal, matters },
        ),
      report: async () => `  ${why}\n\n${await parts.report()}`,
    },
    parts,
  )
}

async function seek(groupId: string, to: SeekTo, options: SeekOptions, { groups }: AgentOperations): Promise<void> {
  checkOptionNames('seek', options)
  const { topic, partitions } = options
  const sought = await withRejections(
    groups.seek({
      groupId,
      to: typeof to === 'object' && 'time' in to ? { time: Number(to.time) } : to,
      ...(topic !== undefined && { topic }),
      ...(partitions !== undefined && { partitions }),
      dryRun: false,
      mayRead: () => true,
      signal: new AbortController().signal,
    }),
  )
  valueOf(sought)
}
