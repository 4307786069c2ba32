// lks profile delete: removes a profile from the file; the cluster is not touched.
import type { ClientCommand } from '../client-command.ts'
import { existingProfile, readProfiles, writeProfiles } from './profiles.ts'

export const profileDelete: ClientCommand = {
  path: ['profile', 'delete'],
  summary: 'Delete a profile.',
  arguments: [{ name: 'profile', required: true, doc: 'Its name.' }],
  options: [],
  examples: ['lks profile delete staging'],
  standalone: true,
  async run(given, { terminal, env }) {
    const [name = ''] = given.arguments
    const profiles = readProfiles(env)
    existingProfile(profiles, name)
    const { [name]: _gone, ...others } = profiles.profiles
    writeProfiles(env, { current: profiles.current === name ? undefined : profiles.current, profiles: others })
    terminal.talk.write(`profile '${name}' is deleted\n`)
  },
}
