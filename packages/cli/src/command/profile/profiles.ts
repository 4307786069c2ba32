// The file of profiles: connections to clusters under names, so that a command needs no -b and -X.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { errorText } from '@local-kafka-service/agent/native-error'
import { UserError } from 'local-kafka-service/internal/user-error'

type Variables = Readonly<Record<string, string | undefined>>

/** Settings of -X by name. */
export type ProfileSettings = Readonly<Record<string, string>>

export interface Profiles {
  /** The profile that counts when nothing else names a cluster. */
  readonly current: string | undefined
  readonly profiles: Readonly<Record<string, ProfileSettings>>
}

/** The profile of one command. */
export interface ChosenProfile {
  readonly name: string
  readonly settings: ProfileSettings
  /** Named by --profile: it comes before the environment. Otherwise it counts only if nothing else names a cluster. */
  readonly isNamed: boolean
}

export function profilesPath(env: Variables): string {
  const { LKS_PROFILES: own = '', XDG_CONFIG_HOME: config = '' } = env
  return own === '' ? join(config === '' ? join(homedir(), '.config') : config, 'lks', 'profiles.json') : own
}

/** Empty if there is no file. Throws a UserError for a file that is not valid. */
export function readProfiles(env: Variables): Profiles {
  const path = profilesPath(env)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return { current: undefined, profiles: {} }
    throw unusable(path, errorText(error), error)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw unusable(path, `it is not valid JSON: ${errorText(error)}`, error)
  }
  if (!isObject(json) || !isObject(json.profiles ?? {})) throw unusable(path, 'it must be an object with "profiles"')
  const { current, profiles = {} } = json
  if (current !== undefined && typeof current !== 'string') throw unusable(path, '"current" must be the name of a profile')
  return {
    current,
    profiles: Object.fromEntries(Object.entries(profiles as object).map(([name, of]) => [name, settingsOf(path, name, of)])),
  }
}

/** Only this user may read the file, because settings may be passwords. */
export function writeProfiles(env: Variables, { current, profiles }: Profiles): void {
  const path = profilesPath(env)
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, `${JSON.stringify({ ...(current !== undefined && { current }), profiles }, undefined, 2)}\n`, { mode: 0o600 })
    // The mode of writeFileSync counts only for a new file.
    chmodSync(path, 0o600)
  } catch (error) {
    throw new UserError('LKS-1010', {
      what: `${path} cannot be written`,
      why: errorText(error),
      fix: ['name another file for profiles: LKS_PROFILES=path'],
      cause: error,
    })
  }
}

/** `named`: from --profile. Throws a UserError for a profile that does not exist. */
export function chosenProfile(named: string | undefined, env: Variables): ChosenProfile | undefined {
  const variable = env['LKS_PROFILE'] ?? ''
  if (named === undefined && variable === '' && env['LKS_PROFILES'] === '') return undefined
  const profiles = readProfiles(env)
  const name = named ?? (variable === '' ? profiles.current : variable)
  return name === undefined ? undefined : { name, settings: existingProfile(profiles, name), isNamed: named !== undefined }
}

export function existingProfile({ profiles }: Profiles, name: string): ProfileSettings {
  const settings = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (settings !== undefined) return settings
  const names = Object.keys(profiles)
  throw new UserError('LKS-1004', {
    what: `there is no profile '${name}'`,
    why: names.length === 0 ? 'there are no profiles' : `the profiles are: ${names.join(', ')}`,
    fix: [`make it: lks profile set ${name} -b host:port`],
  })
}

function settingsOf(path: string, name: string, settings: unknown): ProfileSettings {
  if (!isObject(settings)) throw unusable(path, `profile '${name}' must be an object of settings`)
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => {
      if (typeof value === 'string') return [key, value]
      throw unusable(path, `${key} of profile '${name}' must be a text`)
    }),
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function unusable(path: string, why: string, cause?: unknown): UserError {
  return new UserError('LKS-1007', { what: `${path} cannot be used`, why, fix: [`fix or remove ${path}`], cause })
}
