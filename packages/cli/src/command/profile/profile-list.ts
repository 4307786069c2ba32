// lks profile list: the profiles with their clusters; passwords are not printed.
import type { ClientCommand } from '../client-command.ts'
import { isSecret } from '../connection.ts'
import { formatOf, outputOption, show, tableBlock } from '../output/output.ts'
import type { Column } from '../output/table.ts'
import { orUnknown } from '../words.ts'
import { profilesPath, readProfiles } from './profiles.ts'

export const profileList: ClientCommand = {
  path: ['profile', 'list'],
  summary: 'List the profiles.',
  arguments: [],
  options: [outputOption],
  examples: ['lks profile list', 'lks profile list -o json'],
  standalone: true,
  async run(given, { terminal, env }) {
    const { current, profiles } = readProfiles(env)
    const rows = Object.entries(profiles).map(([name, settings]): ProfileRow => {
      const shown = Object.entries(settings).map(([key, value]) => [key, isSecret(key) ? '…' : value] as const)
      return { name, current: name === current, settings: Object.fromEntries(shown) }
    })
    show(terminal, formatOf(given), {
      value: rows,
      names: rows.map(({ name }) => name),
      blocks: rows.length === 0 ? [] : [tableBlock(columns, rows)],
      nothing: `there are no profiles in ${profilesPath(env)}; make one: lks profile set NAME -b host:port`,
    })
  },
}

interface ProfileRow {
  readonly name: string
  readonly current: boolean
  /** Without secrets. */
  readonly settings: Readonly<Record<string, string>>
}

const columns: readonly Column<ProfileRow>[] = [
  { header: 'PROFILE', value: ({ name }) => name },
  { header: 'CURRENT', value: ({ current }) => (current ? 'yes' : '-') },
  { header: 'SERVERS', value: ({ settings }) => orUnknown(settings['bootstrap.servers']) },
  {
    header: 'OTHER SETTINGS',
    value: ({ settings }) => {
      const others = Object.entries(settings).filter(([key]) => key !== 'bootstrap.servers')
      return others.length === 0 ? '-' : others.map(([key, value]) => `${key}=${value}`).join(' ')
    },
  },
]
