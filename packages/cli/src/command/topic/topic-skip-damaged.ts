// lks topic skip-damaged: makes consumers pass over the damaged offsets of a topic, after confirmation.
import { counted } from 'local-kafka-service/internal/counted'
import type { ClientCommand } from '../client-command.ts'
import { confirm, yesOption } from '../confirm.ts'
import { controlOption } from '../control-option.ts'
import { controlPlaneOf } from '../control-plane-of.ts'
import { type DamagedRange, offsetsIn, rangeColumns, rangeName } from '../damaged-range.ts'
import { formatOf, outputOption, rendered, show, tableBlock } from '../output/output.ts'

const whole = (value: string): string | undefined => (/^\d{1,16}$/.test(value) ? undefined : 'must be a whole number')

export const topicSkipDamaged: ClientCommand = {
  path: ['topic', 'skip-damaged'],
  summary: 'Make consumers pass over the damaged offsets of a topic.',
  arguments: [{ name: 'topic', required: true, doc: 'Its name.', completes: 'topic' }],
  options: [
    { name: 'partition', short: 'p', placeholder: 'number', doc: 'Only this partition.', check: whole },
    {
      name: 'offset',
      placeholder: 'offset',
      doc: 'Only the damage at this offset of the partition. Default: all damage that is known; `lks doctor storage` finds it.',
      check: whole,
    },
    yesOption,
    controlOption,
    outputOption,
  ],
  examples: ['lks topic skip-damaged orders', 'lks topic skip-damaged orders --partition 3 --offset 1042 --yes'],
  standalone: true,
  async run(given, context) {
    const { terminal } = context
    const control = controlPlaneOf(given, context)
    const [topic = ''] = given.arguments
    const partition = given.option('partition')
    const offset = given.option('offset')
    const asked = {
      ...(partition !== undefined && { partition: Number(partition) }),
      ...(offset !== undefined && { offset: Number(offset) }),
    }
    const skip = (apply: boolean): Promise<Skipped> =>
      control.call('POST', `/topics/${encodeURIComponent(topic)}/skip-damaged`, { ...asked, apply })
    const preview = await skip(false)
    const skipped = preview.ranges.length === 0 ? preview : await confirmed(preview)
    show(terminal, formatOf(given), {
      value: skipped,
      names: skipped.ranges.map(rangeName),
      blocks:
        skipped.ranges.length === 0
          ? []
          : [tableBlock([{ header: 'SKIPPED', value: rangeName }, ...rangeColumns.slice(2)], skipped.ranges)],
      nothing: `no damage is known in topic '${topic}'${partition === undefined ? '' : `, partition ${partition}`}; to look for it: lks doctor storage`,
    })

    async function confirmed({ ranges }: Skipped): Promise<Skipped> {
      if (!given.flag('yes'))
        terminal.talk.write(rendered('table', { value: ranges, names: [], blocks: [tableBlock(rangeColumns, ranges)] }, terminal))
      await confirm(
        `Give up ${counted(offsetsIn(ranges), 'offset')} of topic '${topic}', so that all consumers pass over them?`,
        given,
        context,
      )
      return await skip(true)
    }
  },
}

interface Skipped {
  readonly topic: string
  readonly applied: boolean
  readonly ranges: readonly DamagedRange[]
}
