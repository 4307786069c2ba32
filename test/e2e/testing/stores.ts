// The pairs of stores that end-to-end tests run on: a directory with SQLite always, S3 with PostgreSQL where both are named by settings.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { S3Server } from '../../../packages/agent/src/objects/testing/s3-server.ts'
import type { ServerRun } from './server.ts'

export interface Stores {
  readonly name: string
  /** The arguments of a server for a fresh cluster on these stores; the same after a restart. */
  readonly fresh: (folder: string) => ServerRun
}

/** An S3 server of others, and a prefix of its own in its bucket. */
export interface OthersS3 {
  readonly storage: string
  readonly env: Readonly<Record<string, string>>
}

/** `http://KEY:SECRET@HOST:PORT/BUCKET/PREFIX` and `postgres://USER@HOST:PORT/DATABASE` */
const { LKS_TEST_S3: s3 = '', LKS_TEST_POSTGRES: postgres = '' } = process.env

const directory: Stores = { name: 'a directory and SQLite', fresh: (folder) => ({ args: ['--dir', join(folder, randomUUID())] }) }
const bucket: Stores = { name: 'S3 and PostgreSQL', fresh: (folder) => onBucket(folder) }

/** In CI both must be there. */
export function stores(): readonly Stores[] {
  const both = s3 !== '' && postgres !== ''
  if (process.env.CI === 'true') test('LKS_TEST_S3 and LKS_TEST_POSTGRES are set', () => expect(both).toBe(true))
  else if (!both) test.skip('S3 and PostgreSQL: named by LKS_TEST_S3 and LKS_TEST_POSTGRES', () => {})
  return both ? [directory, bucket] : [directory]
}

/** Undefined when LKS_TEST_S3 does not name one. */
export function othersS3(): OthersS3 | undefined {
  return s3 === '' ? undefined : aPrefix()
}

function aPrefix(): OthersS3 {
  const url = new URL(s3)
  return {
    storage: `s3://${url.pathname.slice(1)}/${randomUUID()}`,
    env: {
      AWS_ENDPOINT_URL_S3: url.origin,
      AWS_ACCESS_KEY_ID: decodeURIComponent(url.username),
      AWS_SECRET_ACCESS_KEY: decodeURIComponent(url.password),
      AWS_REGION: 'us-east-1',
    },
  }
}

function onBucket(folder: string): ServerRun {
  const { storage, env } = aPrefix()
  return {
    args: [
      '--dir',
      join(folder, randomUUID()),
      '--storage',
      storage,
      '--metadata',
      postgres,
      '--cluster-id',
      randomUUID(),
      // A test that kills the server knows that it is gone, so its successor need not watch the lease for its time-out.
      '--take-over',
      '--flush-puts-per-second',
      '1000',
      '--flush-linger-ms',
      '5',
    ],
    env,
  }
}

/** What a server needs to find an S3 server of a test. */
export function s3Env({ endpoint, credentials }: S3Server): Readonly<Record<string, string>> {
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
}
