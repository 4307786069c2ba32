// An error that the user can fix, but a retry cannot: what happened, why, and what to do. One table has all codes.

/** Every code with its meaning. A code is never reused. */
export const userErrorCodes = {
  'LKS-1001': 'a port is in use',
  'LKS-1002': 'this user may not use a port',
  'LKS-1003': 'an address to listen on is not of this machine',
  'LKS-1004': 'the value of an option is wrong',
  'LKS-1005': 'options exclude each other',
  'LKS-1006': 'this Node.js is too old',
  'LKS-1007': 'the configuration file cannot be used',
  'LKS-1008': 'the command line is wrong',
  'LKS-1009': 'a package that a store needs is missing or too old',
  'LKS-1010': 'the output cannot be written',
  'LKS-1011': 'an address that other machines can reach has no authentication',
  'LKS-1101': 'the data directory is in use',
  'LKS-1102': 'the data directory is of a newer version',
  'LKS-1103': 'the data directory cannot be used',
  'LKS-1104': 'the disk of the data directory is full',
  'LKS-1105': 'the data directory was promoted',
  'LKS-1106': 'the data directory must be started once before its promotion',
  'LKS-1107': 'the data directory cannot be promoted',
  'LKS-1201': 'another agent took over',
  'LKS-1202': 'the server did not stop in time',
  'LKS-1203': 'a living agent has the name of this one',
  'LKS-1401': 'with metadata in PostgreSQL the clock cannot move, and copies are impossible',
  'LKS-1402': 'the snapshot cannot be written',
  'LKS-1403': 'the snapshot does not exist',
  'LKS-1404': 'the snapshot cannot be used',
  'LKS-1405': 'the snapshot is of a newer version',
  'LKS-1999': 'a defect of Local Kafka Service',
  'LKS-3001': 'the object store cannot be reached',
  'LKS-3002': 'the bucket does not exist',
  'LKS-3003': 'the object store rejected the credentials',
  'LKS-3004': 'the prefix belongs to another cluster',
  'LKS-3005': 'an empty metadata database on a used prefix',
  'LKS-3006': 'the prefix is of a newer format',
  'LKS-3007': 'the cluster file is damaged',
  'LKS-3008': 'messages that were stored as durable cannot be read',
  'LKS-3009': 'the object store is empty, and the metadata database is not',
  'LKS-3101': 'the metadata database cannot be reached',
  'LKS-3102': 'the metadata database rejected the credentials',
  'LKS-3103': 'the metadata database does not exist',
  'LKS-3104': 'the metadata database is of a newer version',
  'LKS-3105': 'the metadata database holds several clusters',
  'LKS-3106': 'the metadata database cannot be used',
  'LKS-3107': 'the settings of the metadata database are not safe',
  'LKS-3108': 'the metadata database is an old primary',
  'LKS-4001': 'the cluster cannot be reached',
  'LKS-4002': 'the server is not a Kafka server',
  'LKS-4003': 'the cluster needs other connection settings',
  'LKS-4004': 'the cluster rejected the credentials or the permission',
  'LKS-4005': 'an advertised address cannot be reached',
  'LKS-4006': 'the cluster does not serve the API',
  'LKS-4007': 'the cluster rejected the request',
  'LKS-4008': 'the topic or partition does not exist',
  'LKS-4009': 'the group does not exist',
  'LKS-4010': 'the topic already exists',
  'LKS-4011': 'the group has active members',
  'LKS-4012': 'the operation was not confirmed',
  'LKS-4013': 'the cluster is not healthy',
  'LKS-4014': 'the cluster was not ready in time',
  'LKS-4015': 'the cluster did not answer in time',
  'LKS-4016': 'the command to run cannot be started',
  'LKS-4017': 'stored messages are damaged',
  'LKS-4018': 'the check of the storage is not complete',
  'LKS-4019': 'the transactional id does not exist, or has no open transaction',
  'LKS-4101': 'a line of input cannot be written',
  'LKS-4102': 'not everything was written',
  'LKS-4103': 'a batch of records cannot be read',
} as const

/** `LKS-1001` …: a code for the error, whose meaning never changes. */
export type UserErrorCode = keyof typeof userErrorCodes

const usageErrors: ReadonlySet<UserErrorCode> = new Set(['LKS-1004', 'LKS-1005', 'LKS-1008', 'LKS-1011'])

/** Printed without a stack trace unless -v is given; the process then ends with `exitCode`. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly code: UserErrorCode
  /** Contains the values: `port 9092 is in use`. */
  readonly what: string
  readonly why: string | undefined
  /** Commands to paste, or single instructions, one per line. */
  readonly fix: readonly string[]

  constructor(
    code: UserErrorCode,
    {
      what,
      why,
      fix,
      cause,
    }: { readonly what: string; readonly why?: string | undefined; readonly fix: readonly string[]; readonly cause?: unknown },
  ) {
    super(why === undefined ? what : `${what}: ${why}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.what = what
    this.why = why
    this.fix = fix
  }

  /** 2 for a usage error, as in shells, otherwise 1. */
  get exitCode(): 1 | 2 {
    return usageErrors.has(this.code) ? 2 : 1
  }
}

/** The printed form, with a final line feed. `wrong` may colour a text. */
export function explain(
  error: UserError,
  { verbose, wrong = (text) => text }: { readonly verbose: boolean; readonly wrong?: (text: string) => string },
): string {
  const lines = [`${wrong('error:')} ${error.what} (${error.code})`]
  if (error.why !== undefined) lines.push(`  why: ${error.why}`)
  for (const fix of error.fix) lines.push(`  fix: ${fix}`)
  if (verbose) {
    lines.push(...indented(error.stack))
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause) lines.push('  caused by:', ...indented(cause.stack))
  }
  return `${lines.join('\n')}\n`
}

function indented(stack: string | undefined): readonly string[] {
  return (stack ?? '').split('\n').map((line) => `    ${line.trim()}`)
}
