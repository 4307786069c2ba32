// The promotion of a data directory to S3 and PostgreSQL: it is locked and marked first, so that no server writes to it while and after it is copied.
import { existsSync } from 'node:fs'
import type { Promoted, PromotionStep } from '@local-kafka-service/agent'
import { type OptionSources, resolveOptions } from '../options.ts'
import { UserError } from '../user-error.ts'
import { placesIn, takeDataDirectory } from './data-directory.ts'
import { metadataAt, objectsAt } from './places.ts'
import { planOf, type ServerPlan } from './server-plan.ts'

export interface PromoteOptions {
  /** The data directory. */
  readonly dir: string
  /** `storage` and `metadata`, as for `lks start`. */
  readonly sources: OptionSources
  readonly onStep: (step: PromotionStep) => void
}

export interface PromotedDirectory extends Promoted {
  readonly storage: string
  /** Never with a password. */
  readonly metadata: string
}

/** Can be repeated after an interruption at any point. Rejects with a UserError if the user can fix the cause. */
export async function promoteDirectory({ dir, sources, onStep }: PromoteOptions): Promise<PromotedDirectory> {
  const plan = planOf('start', resolveOptions('start', sources).values)
  const from = placesIn(dir)
  if (!existsSync(from.metadata))
    throw new UserError('LKS-1103', {
      what: `${dir} is not a data directory that can be promoted`,
      why: `${from.metadata} does not exist`,
      fix: ['name the directory of the server: --dir <path>'],
    })
  const target = { storage: objectsAt(plan), metadata: metadataAt(plan) }
  const directory = takeDataDirectory(dir, { promotedTo: target })
  try {
    // A server finds and reports what a power loss has damaged.
    if (directory.rebooted)
      throw new UserError('LKS-1106', {
        what: `the machine may have lost power since ${dir} was used`,
        why: 'its newest messages are not checked yet',
        fix: [`start it once and stop it again: lks dev --dir ${dir}`],
      })
    directory.promotes()
    return { ...(await promoted(plan, from, onStep)), ...target }
  } finally {
    directory.release()
  }
}

async function promoted(
  plan: ServerPlan,
  from: { readonly metadata: string; readonly objects: string },
  onStep: (step: PromotionStep) => void,
): Promise<Promoted> {
  const { promote, PromotionError } = await import('@local-kafka-service/agent')
  try {
    return await promote({ from, to: plan, onStep })
  } catch (error) {
    if (error instanceof PromotionError)
      throw new UserError('LKS-1107', {
        what: 'the data directory cannot be promoted',
        why: error.message,
        fix: {
          'another cluster': [
            'use another prefix, --storage s3://bucket/another-prefix, and a database in which no agent of this cluster was started',
          ],
          'newer schema': ['use the newer version of Local Kafka Service'],
          'missing object': [
            'restore the object from a copy of the directory',
            'or start the directory with lks dev, and make consumers pass over these offsets: lks topic skip-damaged',
          ],
        }[error.kind],
        cause: error,
      })
    const { explainStart } = await import('./start-errors.ts')
    throw explainStart(error, plan)
  }
}
