// lks profile use: chooses the profile of commands that name no cluster.
import type { ClientCommand } from '../client-command.ts'
import { existingProfile, readProfiles, writeProfiles } from './profiles.ts'

export const profileUse: ClientCommand = {
  path: ['profile', 'use'],
  summary: 'Choose the current profile.',
  arguments: [{ name: 'profile', required: false, doc: 'Its name. Default: none, so that commands use localhost:9092 again.' }],
  options: [],
  examples: ['lks profile use staging', 'lks profile use'],
  standalone: true,
  async run(given, { terminal, env }) {
    const [name] = given.arguments
    const profiles = readProfiles(env)
    if (name !== undefined) existingProfile(profiles, name)
    writeProfiles(env, { ...profiles, current: name })
    terminal.talk.write(name === undefined ? 'no profile is used\n' : `profile '${name}' is used by commands that name no cluster\n`)
  },
}
