// lks profile set: makes a profile from the connection options, or replaces it.
import { UserError } from 'local-kafka-service/internal/user-error'
import type { ClientCommand } from '../client-command.ts'
import { bootstrapOption, connectionFrom, propertyOption, settingsOf } from '../connection.ts'
import { controlOption } from '../control-option.ts'
import { readProfiles, writeProfiles } from './profiles.ts'

export const profileSet: ClientCommand = {
  path: ['profile', 'set'],
  summary: 'Make a profile, or replace it.',
  arguments: [{ name: 'profile', required: true, doc: 'Its name.' }],
  options: [
    { ...bootstrapOption, doc: 'The cluster.' },
    { ...propertyOption, doc: 'A setting of the connection, such as security.protocol=SASL_SSL.' },
    { ...controlOption, doc: 'The control plane of the server, for the commands that use it.' },
    { name: 'use', doc: 'Also make it the current profile.' },
  ],
  examples: [
    'lks profile set local -b localhost:9092 --url http://localhost:8000',
    'lks profile set staging -b kafka:9093 -X security.protocol=SSL --use',
  ],
  standalone: true,
  async run(given, { terminal, env }) {
    const [name = ''] = given.arguments
    if (!/^[\w.-]+$/.test(name))
      throw new UserError('LKS-1004', {
        what: `'${name}' is not a valid name`,
        fix: ['use letters, digits, dots, underscores and hyphens'],
      })
    const bootstrap = given.option('bootstrap-servers')
    const url = given.option('url')
    const properties = [
      ...given.options('property'),
      ...(bootstrap === undefined ? [] : [`bootstrap.servers=${bootstrap}`]),
      ...(url === undefined ? [] : [`control.url=${url}`]),
    ]
    const settings = settingsOf(properties)
    if (settings['bootstrap.servers'] === undefined)
      throw new UserError('LKS-1008', { what: 'no cluster is given', fix: ['name it: -b localhost:9092'] })
    // Wrong values and combinations are rejected now, not when the profile is used.
    connectionFrom({ bootstrap: undefined, properties, env: {} })
    const { current, profiles } = readProfiles(env)
    writeProfiles(env, { current: given.flag('use') ? name : current, profiles: { ...profiles, [name]: settings } })
    terminal.talk.write(
      `profile '${name}' is saved${given.flag('use') || current === name ? ' and used' : `; use it: --profile ${name}`}\n`,
    )
  },
}
