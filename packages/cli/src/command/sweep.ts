// lks sweep: shows or removes the stored objects that no commit has named and none ever will, with the reason for each.
import { counted } from 'local-kafka-service/internal/counted'
import type { ClientCommand } from './client-command.ts'
import { confirm, yesOption } from './confirm.ts'
import { controlOption } from './control-option.ts'
import { controlPlaneOf } from './control-plane-of.ts'
import { bytesText } from './output/bytes-text.ts'
import { formatOf, outputOption, show, tableBlock } from './output/output.ts'
import type { Column } from './output/table.ts'

export const sweep: ClientCommand = {
  path: ['sweep'],
  summary: 'Show or remove stored objects that no commit has named.',
  minor: true,
  arguments: [],
  options: [
    { name: 'dry-run', doc: 'Only show what would be removed, and why. This is what the command does without options, too.' },
    { name: 'now', doc: 'Remove them. The server does so by itself every storage.sweep.interval.ms.' },
    { name: 'confirm', doc: 'With --now: also remove what the sweep has halted for. Look at it with --dry-run first.' },
    yesOption,
    controlOption,
    outputOption,
  ],
  examples: ['lks sweep --dry-run', 'lks sweep --now', 'lks sweep --now --confirm'],
  standalone: true,
  async run(given, context) {
    const { terminal } = context
    const control = controlPlaneOf(given, context)
    const removes = given.flag('now') && !given.flag('dry-run')
    const confirmed = removes && given.flag('confirm')
    if (confirmed)
      await confirm(
        'Remove all stored objects that the database does not know? If the database is older than the store, their records are lost.',
        given,
        context,
      )
    const report: SweptStore = await control.work('/upkeep/sweep', { dryRun: !removes, confirm: confirmed })
    const { orphans, released, removed, deletions, missing, halted, stored } = report
    // Only a dry run looks for released objects.
    const planned = orphans.objects + (released?.objects ?? 0)
    show(terminal, formatOf(given), {
      value: report,
      names: deletions.map(({ object }) => object),
      blocks: deletions.length === 0 ? [] : [tableBlock(columns, deletions)],
      nothing: `nothing to remove: the database has ${stored.objects === 1 ? 'the stored object' : `each of ${stored.objects} stored objects`}, or may get it from a flush on its way`,
    })
    if (planned > deletions.length) terminal.talk.write(`and ${counted(planned - deletions.length, 'more object')}\n`)
    if (removes && removed.objects > 0)
      terminal.talk.write(
        `removed ${counted(removed.objects, 'object')}, ${bytesText(removed.bytes)}${removed.failed === 0 ? '' : `; ${removed.failed} could not be removed`}\n`,
      )
    if (missing !== null && missing.objects > 0)
      terminal.talk.write(
        `the store does not have ${counted(missing.objects, 'object')} that segments name, such as ${missing.keys[0]}: lks doctor storage lists the records\n`,
      )
    if (halted !== null) terminal.talk.write(`the sweep ${removes ? 'has halted' : 'would halt'}: ${halted}\n`)
  },
}

interface SweptStore {
  readonly stored: { readonly objects: number; readonly bytes: number }
  readonly orphans: { readonly objects: number; readonly bytes: number }
  /** Null: it was no dry run. */
  readonly released: { readonly objects: number; readonly bytes: number } | null
  /** Null: the store has too many objects to look for them. */
  readonly missing: { readonly objects: number; readonly keys: readonly string[] } | null
  readonly halted: string | null
  readonly removed: { readonly objects: number; readonly bytes: number; readonly failed: number }
  readonly deletions: readonly SweepDeletion[]
}

interface SweepDeletion {
  readonly object: string
  readonly bytes: number
  readonly why: string
}

const columns: readonly Column<SweepDeletion>[] = [
  { header: 'OBJECT', value: ({ object }) => object },
  { header: 'SIZE', value: ({ bytes }) => bytesText(bytes), align: 'right' },
  { header: 'WHY', value: ({ why }) => why },
]
