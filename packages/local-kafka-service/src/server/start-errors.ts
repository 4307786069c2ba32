// The errors of a failed start: turns errors of ports, stores and sockets into UserErrors of the command.
import { isError, LeaseHeldError, MetadataError, ObjectStoreError, PartsError } from '@local-kafka-service/agent'
import { UserError } from '../user-error.ts'
import { holderOf } from './lease-holder.ts'
import { metadataAt, objectsAt } from './places.ts'
import type { ServerPlan } from './server-plan.ts'

/** A UserError if the user can fix the cause, otherwise the error itself, which is a defect. */
export function explainStart(error: unknown, plan: ServerPlan): unknown {
  if (error instanceof UserError) return error
  if (error instanceof PartsError) return ofParts(error, plan)
  if (error instanceof ObjectStoreError) return ofStore(error, plan)
  if (error instanceof MetadataError) return ofMetadata(error, plan)
  if (error instanceof LeaseHeldError) return ofLease(error, plan)
  return ofSocket(error, plan) ?? error
}

function ofLease(error: LeaseHeldError, plan: ServerPlan): UserError {
  return new UserError('LKS-1203', {
    what: `${holderOf(error.holder)} has the name of this one, and is alive`,
    why: `its lease in ${metadataAt(plan)} beats, and an agent of a cluster is known by its name`,
    fix: [
      'start this one under another name: --agent-name <name>',
      'end it and take its place: --take-over (startKafka: takeOver: true)',
      'serve another cluster: --cluster-id <uuid> on another prefix',
    ],
    cause: error,
  })
}

function ofParts(error: PartsError, plan: ServerPlan): UserError {
  const { cause } = error
  const where = objectsAt(plan)
  switch (error.kind) {
    case 'missing snapshot':
      return new UserError('LKS-1403', {
        what: `no snapshot exists at ${snapshotOf(plan)}`,
        why: error.message,
        fix: ['use a file that kafka.snapshot(path) has written', 'make it readable for this user'],
        cause,
      })
    case 'foreign snapshot':
    case 'damaged snapshot':
      return new UserError('LKS-1404', {
        what: `${snapshotOf(plan)} ${error.kind === 'foreign snapshot' ? 'is not a snapshot' : 'is damaged'}`,
        why: error.message,
        fix: ['write it again: kafka.snapshot(path)', 'restore it from a copy; this start did not change it'],
        cause,
      })
    case 'newer snapshot':
      return new UserError('LKS-1405', {
        what: `${snapshotOf(plan)} was written by a newer version of Local Kafka Service`,
        why: error.message,
        fix: ['use the newer version', 'write it again with this one: kafka.snapshot(path)'],
        cause,
      })
    case 'another cluster':
      return new UserError('LKS-3004', {
        what: `${where} belongs to another cluster`,
        why: error.message,
        fix: [
          'use the metadata database of that cluster',
          plan.objects.kind === 's3' ? 'use another prefix: --storage s3://bucket/another-prefix' : 'use another directory: --dir <path>',
        ],
        cause,
      })
    case 'used prefix':
      return new UserError('LKS-3005', {
        what: `${where} is in use, but the metadata database (${metadataAt(plan)}) is empty`,
        why: `${error.message}; without its metadata its messages cannot be found`,
        fix: [
          plan.metadata.kind === 'postgres'
            ? 'use the database that belongs to it: --metadata postgres://…'
            : 'restore metadata.db in the data directory, or name the present place of the metadata: --dir <path> or --metadata postgres://…',
          plan.objects.kind === 's3'
            ? 'start with an empty prefix: --storage s3://bucket/another-prefix'
            : 'start with an empty directory: --dir <path>',
        ],
        cause,
      })
    case 'newer format':
      return new UserError('LKS-3006', {
        what: `${where} was written by a newer version of Local Kafka Service`,
        why: error.message,
        fix: ['use the newer version', 'use another location: --dir <path> or --storage s3://bucket/another-prefix'],
        cause,
      })
    case 'damaged cluster file':
      return new UserError('LKS-3007', {
        what: `cluster.json in ${where} cannot be read, so its cluster is unknown`,
        why: error.message,
        fix: ['restore cluster.json from a copy', 'use another location: --dir <path> or --storage s3://bucket/another-prefix'],
        cause,
      })
    case 'no objects':
      return new UserError('LKS-3009', {
        what: `${where} holds no messages, but the metadata database (${metadataAt(plan)}) does`,
        why: `${error.message}: the disk may not be mounted`,
        fix: ['mount the disk, or restore the objects from a copy; nothing was changed', 'start with an empty directory: --dir <path>'],
        cause,
      })
    case 'unreadable objects':
      return new UserError('LKS-3008', {
        what: `${where} has lost messages that were acknowledged as durable: its disk or another program has damaged it`,
        why: error.message,
        fix: [
          'restore the objects from a copy; nothing was changed',
          'continue without them: start once with --durability os, which truncates each partition before its first lost message, and reports the offsets',
        ],
        cause,
      })
    case 'package':
      return new UserError('LKS-1009', {
        what: `${error.packageName === 'pg' ? metadataAt(plan) : where} needs the package ${error.packageName}`,
        why: error.message,
        fix: [`npm install ${error.packageName}`],
        cause,
      })
    case 'store':
      return error.cause instanceof ObjectStoreError
        ? ofStore(error.cause, plan)
        : ofStore(new ObjectStoreError('unavailable', 'no', error.message), plan)
  }
}

function ofStore(error: ObjectStoreError, plan: ServerPlan): UserError {
  const where = objectsAt(plan)
  const why = error.message
  const cause = error
  if (plan.objects.kind === 'directory' && error.kind === 'full') return diskFull(where, { why, cause })
  if (plan.objects.kind !== 's3') {
    return new UserError('LKS-1103', {
      what: `${where} cannot be used`,
      why,
      fix: ['use another directory: --dir <path>', 'make it readable and writable for this user', 'keep nothing: --memory'],
      cause,
    })
  }
  switch (error.kind) {
    case 'denied':
      return new UserError('LKS-3003', {
        what: `${where} rejected the credentials`,
        why,
        fix: [
          'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to credentials that may read, write, list and delete there',
          'for a server other than AWS, set its address: AWS_ENDPOINT_URL_S3=http://host:port',
        ],
        cause,
      })
    case 'invalid':
    case 'missing':
      return new UserError('LKS-3002', {
        what: `the bucket '${plan.objects.bucket}' does not exist or cannot be used`,
        why,
        fix: [
          `create it: aws s3 mb s3://${plan.objects.bucket}`,
          'use another bucket: --storage s3://bucket/prefix',
          'set its region: AWS_REGION=…',
        ],
        cause,
      })
    case 'throttled':
    case 'unavailable':
    case 'timeout':
    case 'full':
    case 'corrupt':
    case 'aborted':
      return new UserError('LKS-3001', {
        what: `${where} cannot be reached`,
        why,
        fix: [
          'for a server other than AWS, set its address: AWS_ENDPOINT_URL_S3=http://host:port',
          'check that it runs and that this machine can reach it',
        ],
        cause,
      })
  }
}

function ofMetadata(error: MetadataError, plan: ServerPlan): UserError {
  const where = metadataAt(plan)
  const why = error.message
  const cause = error
  const another =
    plan.metadata.kind === 'postgres'
      ? 'use another database: --metadata postgres://user:password@host/database'
      : 'use another directory: --dir <path>'
  switch (error.reason) {
    case 'newer schema':
      return new UserError('LKS-3104', {
        what: `${where} was written by a newer version of Local Kafka Service`,
        why,
        fix: ['use the newer version', another],
        cause,
      })
    case 'several clusters':
      return new UserError('LKS-3105', { what: `${where} holds several clusters`, why, fix: ['name one: --cluster-id <uuid>'], cause })
    case 'unreachable':
      return new UserError('LKS-3101', {
        what: `${where} cannot be reached`,
        why,
        fix: ['check that it runs and that this machine can reach it', another],
        cause,
      })
    case 'authentication':
    case 'permission':
      return plan.metadata.kind === 'postgres'
        ? new UserError('LKS-3102', {
            what: `${where} rejected this user`,
            why,
            fix: [
              'set user and password: --metadata postgres://user:password@host/database',
              'grant the user the right to create tables in the database',
            ],
            cause,
          })
        : new UserError('LKS-1103', { what: `${where} cannot be used`, why, fix: [another, 'make it writable for this user'], cause })
    case 'no such database':
      return new UserError('LKS-3103', { what: `${where} does not exist`, why, fix: ['create it: createdb <database>', another], cause })
    case 'old primary':
      return new UserError('LKS-3108', {
        what: `${where} is a primary that was replaced`,
        why: `${why} Records that are written to it would be lost`,
        fix: ['use the address of the present primary: --metadata postgres://user:password@host/database', 'stop the old primary'],
        cause,
      })
    case 'unsafe settings':
      return new UserError('LKS-3107', {
        what: `${where} has settings under which acknowledged records could be lost`,
        why,
        fix: [
          'set it for the database: ALTER DATABASE <database> SET synchronous_commit = on',
          'connect to PostgreSQL directly, or through PgBouncer in transaction mode',
        ],
        cause,
      })
    case 'disk full':
      if (plan.metadata.kind === 'sqlite') return diskFull(where, { why, cause })
      return new UserError('LKS-3106', { what: `${where} cannot be written`, why, fix: ['free some space on its disk', another], cause })
    case 'not a database':
    case undefined:
      return new UserError(error.kind === 'unavailable' ? 'LKS-3101' : 'LKS-3106', {
        what: `${where} cannot be used`,
        why,
        fix: [another],
        cause,
      })
  }
}

/** For a directory of this machine. */
function diskFull(where: string, { why, cause }: { readonly why: string; readonly cause: Error }): UserError {
  return new UserError('LKS-1104', {
    what: `the disk of ${where} is full`,
    why,
    fix: ['free some space on that disk; nothing that was acknowledged is lost', 'use a directory on another disk: --dir <path>'],
    cause,
  })
}

const flags = ['--kafka-port', '--control-port', '--data-port'] as const

/** Errors of listening: those of Node's sockets, and HTTP's PortError, whose cause is one of them. */
function ofSocket(error: unknown, plan: ServerPlan): UserError | undefined {
  const { code, port, address, hostname } = socketErrorOf(error)
  const ports: readonly (number | undefined)[] = [plan.kafkaPort, plan.http?.control.port, plan.http?.data.port]
  const flag = flags[Math.max(0, ports.indexOf(port))] ?? flags[0]
  switch (code) {
    case 'EADDRINUSE':
      return new UserError('LKS-1001', {
        what: `port ${port} is in use`,
        why: flag === '--kafka-port' ? 'probably by another Kafka server, or an earlier start of this one' : undefined,
        fix: [
          `use another port: ${flag} ${port === undefined ? 0 : port + 1}   (or ${flag} 0 for any free one)`,
          `find the program that uses it: lks doctor ports ${port}`,
        ],
        cause: error,
      })
    case 'EACCES':
      return new UserError('LKS-1002', {
        what: `port ${port} needs permissions that this user does not have`,
        fix: [`use a port above 1023: ${flag} <port>`],
        cause: error,
      })
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new UserError('LKS-1003', {
        what: `${address ?? hostname ?? plan.hosts.join(', ')} is not an address of this machine`,
        fix: ['listen on this machine only: --listen 127.0.0.1', 'listen on every address: --listen 0.0.0.0'],
        cause: error,
      })
    case undefined:
    default:
      return undefined
  }
}

interface SocketError {
  readonly code?: string
  readonly syscall?: string
  readonly port?: number
  readonly address?: string
  readonly hostname?: string
}

/** The error of listening, at any depth. Node omits the port if it was 0. */
function socketErrorOf(error: unknown): SocketError {
  for (let at: unknown = error; isError(at); at = at.cause) {
    const found = at as SocketError
    if (found.syscall === 'listen' || found.syscall === 'bind' || found.syscall === 'getaddrinfo') return found
  }
  return {}
}

function snapshotOf({ beginsWith }: ServerPlan): string {
  return beginsWith?.kind === 'snapshot' ? beginsWith.path : 'memory'
}
