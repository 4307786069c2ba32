// The log lines of an agent's events: one function per kind of event, which also gives its level; a kind that comes too often is counted instead.
import type { AgentEvent, EventClient, EventHook } from '@local-kafka-service/agent'
import { errorStack, errorText } from '@local-kafka-service/agent/native-error'
import { printable } from '../printable.ts'
import { holderOf } from './lease-holder.ts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** One event as a message and fields. */
export interface LogLine {
  readonly level: Level
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

export interface EventLogOptions {
  /** Also events of level debug. */
  readonly verbose: boolean
  readonly write: (line: LogLine) => void
  /** Milliseconds of a monotonic clock. */
  readonly monotonic: () => number
}

/** The limit for one kind of event in one window. Debug lines are logged on request only, so they are never left out. */
const linesPerWindow = 20
const windowMs = 10_000
/** Lines with the same meaning: one is logged for all within a period, and the next one after it gives the number left out. */
interface Same {
  readonly key: string
  readonly forMs: number
}

const sameForMs = 60_000
/** Above this number of keys the oldest is removed, and its next line is logged at once. */
const rememberedLines = 1_000

/** Undefined: every line is logged. */
function sameLines(event: AgentEvent, message: string): Same | undefined {
  switch (event.kind) {
    // Clients retry until their program changes.
    case 'protocol error':
    case 'rejected':
      return { key: message, forMs: Number.POSITIVE_INFINITY }
    case 'connection rejected':
      return { key: `${event.kind}/${event.setting}/${event.address}`, forMs: sameForMs }
    case 'gave way':
      return { key: `${event.kind}/${event.held}/${event.address}`, forMs: sameForMs }
    default:
      return undefined
  }
}

/** Records that are lost: the log is the only place that reports them. */
const neverLeftOut: ReadonlySet<AgentEvent['kind']> = new Set(['tail cut'])

/** Consequences of a store that cannot be written, which repeat until it can: the one line with the cause is enough. */
const saidByStoreFailed: ReadonlySet<AgentEvent['kind']> = new Set([
  'commit retried',
  'line stopped',
  'store request failed',
  'heartbeat failed',
])

export function eventLog({ verbose, write, monotonic }: EventLogOptions): EventHook {
  let storeFailed = false
  const windows = new Map<AgentEvent['kind'], { since: number; written: number; leftOut: number }>()
  const said = new Map<string, { readonly since: number; leftOut: number }>()
  /** The line, with the number of equal lines left out before it; undefined when an earlier one still covers it. */
  const once = (line: LogLine, same: Same | undefined, now: number): LogLine | undefined => {
    if (same === undefined) return line
    const before = said.get(same.key)
    if (before !== undefined && now - before.since < same.forMs) {
      before.leftOut++
      return undefined
    }
    said.delete(same.key)
    said.set(same.key, { since: now, leftOut: 0 })
    const [eldest] = said.keys()
    if (said.size > rememberedLines && eldest !== undefined) said.delete(eldest)
    if (before === undefined || before.leftOut === 0) return line
    return {
      ...line,
      message: `${line.message} (and ${before.leftOut} more like it before)`,
      fields: { ...line.fields, leftOut: before.leftOut },
    }
  }
  return (event) => {
    if (event.kind === 'store failed') storeFailed = true
    if (event.kind === 'store recovered') storeFailed = false
    const made = storeFailed && saidByStoreFailed.has(event.kind) ? { ...lineOf(event), level: 'debug' as const } : lineOf(event)
    if (made.level === 'debug') {
      if (verbose) write(made)
      return
    }
    const now = monotonic()
    const line = once(made, sameLines(event, made.message), now)
    if (line === undefined) return
    const window = windows.get(event.kind) ?? { since: now, written: 0, leftOut: 0 }
    windows.set(event.kind, window)
    if (now - window.since >= windowMs) {
      if (window.leftOut > 0)
        write({ level: line.level, message: `${window.leftOut} more lines like the next one were left out`, fields: { event: event.kind } })
      window.since = now
      window.written = 0
      window.leftOut = 0
    }
    if (window.written >= linesPerWindow && !neverLeftOut.has(event.kind)) window.leftOut++
    else {
      window.written++
      write(line)
    }
  }
}

/** Exported for its test. */
export function lineOf(event: AgentEvent): LogLine {
  // The cast: TypeScript does not see that the function at `kind` accepts exactly the events of that kind; the table's type ensures it.
  return (lines[event.kind] as (event: AgentEvent) => LogLine)(event)
}

type Lines = { readonly [K in AgentEvent['kind']]: (event: Extract<AgentEvent, { readonly kind: K }>) => LogLine }

const lines: Lines = {
  'connection opened': ({ connectionId, address }) => debug(`connection ${connectionId} from ${address}`, { connectionId, address }),
  'connection closed': ({ connectionId, cause, reason }) =>
    debug(`connection ${connectionId} closed: ${reason}`, { connectionId, cause, reason }),
  'connection rejected': ({ address, setting, limit }) =>
    warn(
      setting === 'HTTP connections'
        ? `requests on a connection from ${address} are answered 503: requests are in progress on all ${limit} HTTP connections; use fewer connections`
        : `a connection from ${address} was closed at once: ${setting} is ${limit}, and no other connection could give way; raise ${setting}, or close some`,
      { address, setting, limit },
    ),
  'early connections rejected': ({ count, address, limit }) =>
    warn(
      `${count} connections, the last one from ${address}, were closed before the server was ready: ${limit} others waited already; use fewer connections`,
      { count, address, limit },
    ),
  'gave way': ({ connectionId, address, held, message }) =>
    warn(`${connectionId === undefined ? 'a connection' : `connection ${connectionId}`} from ${address} was closed: ${message}`, {
      connectionId,
      address,
      held,
      reason: message,
    }),
  'accept failed': ({ message }) => warn(`a connection could not be accepted: ${message}`, { reason: message }),
  request: ({ api, version, connectionId, clientId, sizeBytes }) =>
    debug(`${api} v${version} from ${clientId ?? 'a client without a name'}`, { api, version, connectionId, clientId, sizeBytes }),
  reply: ({ api, version, connectionId, clientId, durationMs, sizeBytes }) =>
    debug(`${api} v${version} answered in ${durationMs.toFixed(1)} ms`, { api, version, connectionId, clientId, durationMs, sizeBytes }),
  'protocol error': ({ connectionId, client, request, message, advice }) =>
    warn(printable(`${clientWords(client)}: ${message}. The connection was closed; ${advice}`), {
      connectionId,
      ...clientFields(client),
      ...request,
      reason: message,
      advice,
    }),
  rejected: ({ client, api, version, subject, error, message }) =>
    warn(
      printable(
        `${clientWords(client)}: ${api} ${version}${subject === undefined ? '' : ` of ${subject}`} was rejected with ${error}${message === '' ? '' : `: ${message}`}`,
      ),
      { ...clientFields(client), api, version, subject, error, reason: message },
    ),
  defect: ({ where, error }) =>
    fault(`a defect in ${where}: ${errorText(error)}`, {
      where,
      error: errorStack(error),
    }),
  sealed: ({ sequence, trigger, sizeBytes, batches }) =>
    debug(`flush ${sequence} sealed (${trigger}): ${batches} batches, ${sizeBytes} bytes`, { sequence, trigger, sizeBytes, batches }),
  stored: ({ sequence, durationMs }) => debug(`flush ${sequence} stored in ${durationMs.toFixed(1)} ms`, { sequence, durationMs }),
  committed: ({ sequence, batches, durationMs }) =>
    debug(`flush ${sequence} committed in ${durationMs.toFixed(1)} ms`, { sequence, batches, durationMs }),
  'commit retried': ({ sequence, outcome, message }) =>
    warn(`flush ${sequence} is committed again after an attempt with the outcome '${outcome}' (${message})`, {
      sequence,
      outcome,
      reason: message,
    }),
  'line stopped': ({ sequence, abandoned, message }) =>
    fault(`flush ${sequence} was abandoned, ${abandoned} in all; their producers receive a retriable error: ${message}`, {
      sequence,
      abandoned,
      reason: message,
    }),
  registered: ({ incarnation, brokerId }) => debug(`registered as broker ${brokerId}`, { brokerId, incarnation: incarnation.id }),
  'lease watched': ({ lease, forMs }) =>
    info(`${holderOf(lease)} may still be running: this server watches its lease for ${forMs / 1000} s before it starts`, {
      agent: lease.agent,
      machine: lease.machine,
      address: `${lease.host}:${lease.port}`,
    }),
  'agent fenced': ({ lease, slots }) =>
    warn(`${holderOf(lease)} was silent: this agent has fenced it, and took ${slots} slot${slots === 1 ? '' : 's'}`, {
      agent: lease.agent,
      machine: lease.machine,
      address: `${lease.host}:${lease.port}`,
      slots,
    }),
  fenced: ({ incarnation }) => fault('another agent took over', { incarnation: incarnation.id }),
  'heartbeat failed': ({ message }) => warn(`the Metadata Service did not answer a heartbeat: ${message}`, { reason: message }),
  'topic created': ({ name, partitions, auto }) =>
    info(`topic ${name} created with ${partitions} partition${partitions === 1 ? '' : 's'}${auto ? ', because a client named it' : ''}`, {
      topic: name,
      partitions,
      auto,
    }),
  'topic deleted': ({ name }) => info(`topic ${name} deleted`, { topic: name }),
  'group changed': ({ groupId, state }) => debug(`group ${groupId} is ${state}`, { group: groupId, state }),
  'offsets committed': ({ groupId, partitions }) =>
    groupId === null
      ? debug('a transaction may have committed offsets: the answer of the database was lost', {})
      : debug(`group ${groupId} committed offsets of ${partitions} partition${partitions === 1 ? '' : 's'}`, {
          group: groupId,
          partitions,
        }),
  'store failed': ({ message }) => fault(message, {}),
  'store recovered': ({ durationMs }) => info(`the disk can be written again, after ${Math.round(durationMs / 1000)} s`, { durationMs }),
  'store request failed': ({ operation, message }) =>
    warn(`the FileStorage Service failed (${operation}): ${message}`, { operation, reason: message }),
  // One line per object, which may hold batches of a thousand partitions.
  'corrupt data': ({ topic, topicId, partition, offset, lastOffset, objectKey, message, firstOfObject }) =>
    (firstOfObject ? fault : debug)(
      `partition ${partition} of topic ${topic} is damaged at offsets ${offset} to ${lastOffset}, in object ${objectKey}: ${message}; consumers can seek past it, and /readyz lists all damage that was found`,
      { topic, topicId, partition, offset, lastOffset, object: objectKey, reason: message },
    ),
  'damage skipped': ({ topic, partition, offset, lastOffset, objectKey }) =>
    warn(`partition ${partition} of topic ${topic}: consumers pass over the damaged offsets ${offset} to ${lastOffset} from now on`, {
      topic,
      partition,
      offset,
      lastOffset,
      object: objectKey,
    }),
  'storage scrubbed': ({ objects, damagedObjects, durationMs }) =>
    (damagedObjects === 0 ? info : warn)(
      `the scrubber has read all ${objects} objects in ${Math.round(durationMs / 1000)} s: ${damagedObjects === 0 ? 'all are whole' : `${damagedObjects} damaged`}`,
      { objects, damagedObjects, durationMs },
    ),
  'records removed': ({ partitions, segments, bytes, durationMs }) =>
    info(`retention has removed ${bytes} bytes of old records from ${partitions} partition${partitions === 1 ? '' : 's'}`, {
      partitions,
      segments,
      bytes,
      durationMs,
    }),
  'log compacted': ({ topic, partition, end, bytesRead, bytesWritten, swaps, durationMs }) =>
    (end === 'damaged' ? warn : debug)(
      end === 'damaged'
        ? `partition ${partition} of topic ${topic} is not compacted while it has damaged offsets: see /readyz`
        : `partition ${partition} of topic ${topic}: log compaction has read ${bytesRead} bytes and written ${bytesWritten} (${end})`,
      { topic, partition, end, bytesRead, bytesWritten, swaps, durationMs },
    ),
  'compaction failed': ({ message }) => warn(`log compaction has stopped, and will try again: ${message}`, { reason: message }),
  'segments merged': ({ end, objects, partitions, sources, segments, bytesRead, bytesWritten, durationMs }) =>
    (end === 'nothing' ? warn : debug)(
      end === 'nothing'
        ? `${partitions === 1 ? 'a partition is' : 'partitions are'} not merged, because segments are damaged: see /readyz`
        : `a merge has written ${bytesWritten} bytes of ${partitions} partition${partitions === 1 ? '' : 's'}: ${sources} segments in ${objects} objects became ${segments} in one (${end})`,
      { end, objects, partitions, sources, segments, bytesRead, bytesWritten, durationMs },
    ),
  'topics purged': ({ topics, segments, bytes }) =>
    info(`${topics} deleted topic${topics === 1 ? '' : 's'} purged, with ${bytes} bytes of records`, { topics, segments, bytes }),
  'topic undeleted': ({ name }) => info(`topic ${name} was brought back`, { name }),
  'objects swept': ({ objects, bytes, failed }) =>
    (failed === 0 ? info : warn)(
      `the sweep has removed ${objects} object${objects === 1 ? '' : 's'} without live records, ${bytes} bytes${failed === 0 ? '' : `; ${failed} could not be removed`}`,
      { objects, bytes, failed },
    ),
  'orphans removed': ({ objects, bytes, failed }) =>
    (failed === 0 ? info : warn)(
      `the sweep has removed ${objects} object${objects === 1 ? '' : 's'} that no commit had named, ${bytes} bytes${failed === 0 ? '' : `; ${failed} could not be removed`}`,
      { objects, bytes, failed },
    ),
  'sweep halted': ({ message }) => warn(`the sweep removes no objects that no commit has named: ${message}`, { reason: message }),
  'object unreadable': ({ key, message }) => warn(`object ${key} differs from what was committed: ${message}`, { key, reason: message }),
  'tail cut': ({ topic, partition, fromOffset, offsets }) =>
    warn(
      `${topic}[${partition}] was cut at offset ${fromOffset}: ${offsets} record${offsets === 1 ? '' : 's'} did not survive the power loss`,
      {
        topic,
        partition,
        fromOffset,
        offsets,
      },
    ),
  'objects checked': ({ objects, unreadable, durationMs }) =>
    (unreadable === 0 ? info : warn)(
      `the machine was started again since the last run: ${objects} newest objects read in ${Math.round(durationMs)} ms, ${
        unreadable === 0 ? 'all whole' : `${unreadable} lost`
      }`,
      { objects, unreadable, durationMs },
    ),
  notice: ({ message }) => info(message, {}),
}

/** `client 'billing' (kafkajs 2.2.4) at 10.0.0.9`. */
function clientWords({ id, software, address }: EventClient): string {
  const name = id === undefined || id === null || id === '' ? 'a client' : `client '${id.slice(0, shownOfId)}'`
  return `${name}${software === undefined ? '' : ` (${software.name} ${software.version})`} at ${address}`
}

/** A client may send any name, of up to 32 KiB. */
const shownOfId = 100

function clientFields({ id, software, address }: EventClient): LogLine['fields'] {
  return { clientId: id?.slice(0, shownOfId), software: software && `${software.name} ${software.version}`, address }
}

function debug(message: string, fields: LogLine['fields']): LogLine {
  return { level: 'debug', message, fields }
}
function info(message: string, fields: LogLine['fields']): LogLine {
  return { level: 'info', message, fields }
}
function warn(message: string, fields: LogLine['fields']): LogLine {
  return { level: 'warn', message, fields }
}
function fault(message: string, fields: LogLine['fields']): LogLine {
  return { level: 'error', message, fields }
}
