// The routes of upkeep on the control plane: the state of its jobs, and the sweep of the object store, now or as a dry run.
import type { JobStatus, StoredAmount, SweepReport } from '@local-kafka-service/agent'
import type { FastifyInstance } from 'fastify'
import { isoTime } from './iso-time.ts'
import type { PlaneParts } from './plane.ts'
import { problemAnswers } from './schemas.ts'

interface SweepBody {
  readonly dryRun?: boolean
  readonly confirm?: boolean
}

export function upkeepRoutes(app: FastifyInstance, { agent }: PlaneParts): void {
  const { upkeep } = agent.operations

  app.get(
    '/upkeep',
    {
      config: { access: { operation: 'DESCRIBE', resource: 'cluster' } },
      schema: {
        operationId: 'listUpkeep',
        summary: 'Show the jobs that look after what is stored: their last and next passes, what is left to do, and problems',
        tags: ['storage'],
        querystring: { type: 'object', additionalProperties: false, properties: {} },
        response: { 200: jobsSchema, ...problemAnswers(503) },
      },
    },
    () => ({ jobs: upkeep.jobs().map(jobJson) }),
  )

  app.post<{ Body: SweepBody }>(
    '/upkeep/sweep',
    {
      config: { access: { operation: 'ALTER', resource: 'cluster' } },
      schema: {
        operationId: 'sweepStore',
        summary: 'List the object store, and remove the objects that no commit has named and none ever will',
        description:
          'Such objects are left by crashes. Each is proved: it has no row in the database, and its incarnation was fenced or has committed a later flush. The sweep halts, and removes nothing, when the database seems to be older than the store, or when it would remove more than a tenth of the bytes; `"confirm": true` removes these, too. The server sweeps by itself every `storage.sweep.interval.ms`. The answer comes when the sweep is done.',
        tags: ['storage'],
        body: requestSchema,
        response: { 200: reportSchema, ...problemAnswers(400, 503) },
      },
    },
    async ({ body, requestContext }) =>
      reportJson(await upkeep.sweep({ dryRun: body.dryRun ?? false, confirmed: body.confirm ?? false }, requestContext.signal)),
  )
}

function jobJson({ job, about, elsewhere, running, lastPass, nextPassAtMs, progress, backlog, problem }: JobStatus): object {
  return {
    job,
    about,
    elsewhere,
    running,
    lastPass: lastPass === undefined ? null : { beganAt: isoTime(lastPass.beganAtMs), endedAt: isoTime(lastPass.endedAtMs) },
    nextPassAt: nextPassAtMs === undefined ? null : isoTime(nextPassAtMs),
    progress: progress ?? null,
    backlog,
    problem: problem ?? null,
  }
}

function reportJson({ stored, orphans, open, foreignKeys, missing, halted, removed, released, deletions }: SweepReport): object {
  return {
    stored: amountJson(stored),
    orphans: amountJson(orphans),
    open: amountJson(open),
    foreignKeys,
    missing,
    halted,
    removed: { ...amountJson(removed), failed: removed.failed },
    released: released === undefined ? null : amountJson(released),
    deletions: deletions.map(({ key, sizeBytes, why }) => ({ object: key, bytes: sizeBytes, why })),
  }
}

function amountJson({ objects, bytes }: StoredAmount): object {
  return { objects, bytes }
}

const count = { type: 'integer' } as const
const text = { type: 'string' } as const
const amount = (description: string) =>
  ({ description, type: 'object', required: ['objects', 'bytes'], properties: { objects: count, bytes: count } }) as const

const time = { type: 'string', format: 'date-time' } as const

const jobsSchema = {
  description: 'The jobs of this agent',
  type: 'object',
  required: ['jobs'],
  properties: {
    jobs: {
      type: 'array',
      items: {
        type: 'object',
        required: ['job', 'about', 'elsewhere', 'running', 'lastPass', 'nextPassAt', 'progress', 'backlog', 'problem'],
        properties: {
          job: text,
          about: { ...text, description: 'What it does.' },
          elsewhere: { type: 'boolean', description: 'Another agent has this job now.' },
          running: { type: 'boolean' },
          lastPass: {
            type: ['object', 'null'],
            description: 'Null: none has ended since the start of the agent.',
            required: ['beganAt', 'endedAt'],
            properties: { beganAt: time, endedAt: time },
          },
          nextPassAt: { ...time, type: ['string', 'null'] },
          progress: { type: ['string', 'null'], description: 'How far the present pass has come.' },
          backlog: {
            type: 'object',
            description: 'What is left to do, as of its last look, by unit.',
            additionalProperties: count,
          },
          problem: { type: ['string', 'null'], description: 'Why the last pass did not do its work.' },
        },
      },
    },
  },
} as const

const requestSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    dryRun: { type: 'boolean', default: false, description: 'Only report what the sweep would remove, and why.' },
    confirm: { type: 'boolean', default: false, description: 'Also remove what the sweep would halt for. It cannot be undone.' },
  },
} as const

const reportSchema = {
  description: 'What the sweep found and removed',
  type: 'object',
  required: ['stored', 'orphans', 'open', 'foreignKeys', 'missing', 'halted', 'removed', 'released', 'deletions'],
  properties: {
    stored: amount('All stored objects of the cluster.'),
    orphans: amount('Those that no commit has named and none ever will.'),
    open: amount('Those that no commit has named yet.'),
    foreignKeys: { ...count, description: 'Keys that are not those of objects. They are left alone.' },
    missing: {
      type: ['object', 'null'],
      description:
        'Objects that the store does not have, although segments name them. Null: the store has too many objects to compare them with the database.',
      required: ['objects', 'keys'],
      properties: { objects: count, keys: { type: 'array', items: text, description: 'The keys of the first 20.' } },
    },
    halted: { type: ['string', 'null'], description: 'Why the orphans stay until their removal is confirmed. Null: they do not.' },
    removed: {
      type: 'object',
      required: ['objects', 'bytes', 'failed'],
      properties: {
        objects: count,
        bytes: count,
        failed: { ...count, description: 'Objects that the store could not remove. A later sweep tries it again.' },
      },
    },
    released: {
      ...amount(
        'Committed objects that no segment names any more: they are removed when no reader can look for them. Null: only a dry run looks for them.',
      ),
      type: ['object', 'null'],
    },
    deletions: {
      type: 'array',
      description: 'The first 1,000 orphans, and in a dry run then the released objects.',
      items: {
        type: 'object',
        required: ['object', 'bytes', 'why'],
        properties: { object: { ...text, description: 'The key of the stored object.' }, bytes: count, why: text },
      },
    },
  },
} as const
