// lks doctor storage: has the server read all stored objects, follows the progress, and lists the offsets that cannot be read.
import { counted } from 'local-kafka-service/internal/counted'
import { UserError } from 'local-kafka-service/internal/user-error'
import { pause } from '../../cluster/cluster-client.ts'
import type { ClientCommand, CommandContext } from '../client-command.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { type DamagedRange, offsetsIn, rangeColumns, rangeName } from '../damaged-range.ts'
import { bytesText } from '../output/bytes-text.ts'
import { fieldsBlock, formatOf, outputOption, show, tableBlock } from '../output/output.ts'

export const doctorStorage: ClientCommand = {
  path: ['doctor', 'storage'],
  summary: 'Check all stored objects of a running server for damage.',
  arguments: [],
  options: [controlOption, outputOption],
  examples: ['lks doctor storage', 'lks doctor storage --url http://kafka.internal:8000 -o json', 'lks doctor storage || page-somebody'],
  standalone: true,
  async run(given, context) {
    const control = controlPlaneOf(given, context)
    const progress = progressOn(context)
    let check = await control.call<CheckProgress>('POST', '/storage/check')
    while (check.state === 'running') {
      progress.show(check)
      await pause(everyMs, context.signal)
      check = await control.call<CheckProgress>('GET', '/storage/check')
    }
    progress.end()
    const { damage, skipped } = await control.call<StorageDamage>('GET', '/storage/damage')
    const facts = fieldsBlock([
      ['Checked', `${counted(check.objects.checked, 'object')}, ${bytesText(check.bytes.checked)}`],
      ['Damaged', damage.length === 0 ? 'no offsets' : `${counted(offsetsIn(damage), 'offset')} in ${counted(damage.length, 'place')}`],
      ...(check.harmlessObjects === 0
        ? []
        : [['Harmless', `${counted(check.harmlessObjects, 'damaged object')} without records that could be read`] as const]),
      ...(skipped.length === 0 ? [] : [['Skipped', counted(skipped.length, 'place')] as const]),
    ])
    show(context.terminal, formatOf(given), {
      value: { check, damage, skipped },
      names: damage.map(rangeName),
      blocks: damage.length === 0 ? [facts] : [facts, tableBlock(rangeColumns, damage)],
    })
    if (damage.length > 0) throw damagedError(damage)
    if (check.state !== 'complete')
      throw new UserError('LKS-4018', {
        what: `the check ${check.state === 'failed' ? 'failed' : 'was stopped'} after ${check.objects.checked} of ${counted(check.objects.total, 'object')}`,
        why: check.message ?? undefined,
        fix: ['see what the server reports at /readyz and in its log, then run the command again'],
      })
  },
}

/** As the control plane answers. */
interface CheckProgress {
  readonly state: 'running' | 'complete' | 'failed' | 'stopped'
  readonly objects: { readonly checked: number; readonly total: number }
  readonly bytes: { readonly checked: number; readonly total: number }
  readonly harmlessObjects: number
  readonly message: string | null
}

interface StorageDamage {
  readonly damage: readonly DamagedRange[]
  readonly skipped: readonly object[]
}

const everyMs = 250

function damagedError(damage: readonly DamagedRange[]): UserError {
  const topics = [...new Set(damage.map(({ topic }) => topic))]
  const [first = ''] = topics
  return new UserError('LKS-4017', {
    what: `${counted(offsetsIn(damage), 'offset')} of ${counted(topics.length, 'topic')} cannot be read`,
    why: 'the stored objects are missing or differ from what was committed; consumers receive an error at these offsets',
    fix: [
      'restore the objects from a backup, under the same names; after a change in a directory, start the server again',
      `or make consumers pass over these offsets, which cannot be undone: lks topic skip-damaged ${first}`,
    ],
  })
}

/** One line that is overwritten on a terminal; elsewhere a line for each tenth. */
function progressOn({ terminal }: Pick<CommandContext, 'terminal'>): { show(check: CheckProgress): void; end(): void } {
  let tenths = 0
  let open = false
  return {
    show({ objects, bytes }) {
      const part = bytes.total === 0 ? 0 : Math.min(1, bytes.checked / bytes.total)
      const line = `checked ${bytesText(bytes.checked)} of ${bytesText(bytes.total)} in ${counted(objects.checked, 'object')} (${Math.floor(part * 100)} %)`
      if (terminal.interactive) {
        terminal.talk.write(`\r${line}`)
        open = true
      } else if (Math.floor(part * 10) > tenths) {
        tenths = Math.floor(part * 10)
        terminal.talk.write(`${line}\n`)
      }
    },
    end() {
      if (open) terminal.talk.write('\n')
    },
  }
}
