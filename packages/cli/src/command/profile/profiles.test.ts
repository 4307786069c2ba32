// The file of profiles: what the commands write is read again, only by its owner, and a damaged file is an error.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UserError } from 'local-kafka-service/internal/user-error'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ClientCommand, CommandContext } from '../client-command.ts'
import { connectionFrom, controlUrlOf } from '../connection.ts'
import { type Chosen, programOf } from '../program.ts'
import { recordedTerminal } from '../testing/recorded-terminal.ts'
import { profileDelete } from './profile-delete.ts'
import { profileList } from './profile-list.ts'
import { profileSet } from './profile-set.ts'
import { profileUse } from './profile-use.ts'
import { chosenProfile, profilesPath, readProfiles } from './profiles.ts'

const commands: readonly ClientCommand[] = [profileList, profileSet, profileUse, profileDelete]
let folder = ''
let env: Readonly<Record<string, string>> = {}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lks-profiles-'))
  env = { LKS_PROFILES: join(folder, 'a', 'profiles.json') }
})
afterEach(() => rmSync(folder, { recursive: true }))

async function lks(...words: readonly string[]): Promise<string> {
  let chosen: Chosen | undefined
  const table = { commands, groups: { profile: 'Connections' }, overview: () => '' }
  await programOf('1.2.3', table, async (one) => void (chosen = one)).parseAsync(['node', 'lks', 'profile', ...words])
  if (chosen === undefined) throw new Error('no command was chosen')
  const terminal = recordedTerminal()
  const connection = connectionFrom({ bootstrap: undefined, properties: [], env: {} })
  const context: CommandContext = { terminal, env, signal: new AbortController().signal, verbose: false, connection }
  await chosen.command.run(chosen.given, context)
  const { data, talk } = terminal.said()
  return data + talk
}

test('a profile is made, used, listed without its password, and deleted', async () => {
  expect(await lks('list')).toContain('there are no profiles')
  await lks('set', 'local', '-b', 'localhost:9092')
  await lks(
    'set',
    'staging',
    '-b',
    'kafka:9093',
    '-X',
    'security.protocol=SASL_SSL',
    '-X',
    'sasl.username=me',
    '-X',
    'sasl.password=hunter2',
  )
  expect(chosenProfile(undefined, env)).toBeUndefined()
  await lks('use', 'staging')
  expect(chosenProfile(undefined, env)).toMatchObject({ name: 'staging', isNamed: false, settings: { 'sasl.password': 'hunter2' } })
  expect(chosenProfile('local', env)).toMatchObject({ name: 'local', isNamed: true })
  expect(chosenProfile(undefined, { ...env, LKS_PROFILE: 'local' })).toMatchObject({ name: 'local', isNamed: false })
  const listed = await lks('list')
  expect(listed).toMatch(/^staging +yes +kafka:9093 +security\.protocol=SASL_SSL/m)
  expect(listed).not.toContain('hunter2')
  await lks('delete', 'staging')
  expect(readProfiles(env)).toEqual({ current: undefined, profiles: { local: { 'bootstrap.servers': 'localhost:9092' } } })
  await lks('set', 'local', '-b', 'localhost:9093', '--use')
  await lks('use')
  expect(chosenProfile(undefined, env)).toBeUndefined()
})

test('a profile names the control plane, which a flag and the environment come before', async () => {
  const urlOf = (given: { readonly url?: string; readonly profile?: string }, variables: Readonly<Record<string, string>> = {}): string =>
    controlUrlOf({ url: given.url, profile: given.profile, bootstrap: undefined, properties: [] }, { ...env, ...variables })
  expect(urlOf({})).toBe('http://localhost:8000')
  expect(urlOf({}, { LKS_URL: 'http://b:8000' })).toBe('http://b:8000')
  await expect(lks('set', 'staging', '-b', 'kafka:9093', '--url', 'kafka:8000')).rejects.toThrow(/not a URL/)
  await expect(lks('set', 'staging', '-b', 'kafka:9093', '-X', 'control.url=kafka:8000')).rejects.toThrow(/not a URL/)
  await lks('set', 'staging', '-b', 'kafka:9093', '--url', 'http://kafka:8000')
  expect(urlOf({})).toBe('http://localhost:8000')
  expect(urlOf({ profile: 'staging' }, { LKS_URL: 'http://b:8000' })).toBe('http://kafka:8000')
  expect(urlOf({ profile: 'staging', url: 'http://c:8000' })).toBe('http://c:8000')
  await lks('use', 'staging')
  expect(urlOf({})).toBe('http://kafka:8000')
  expect(urlOf({}, { LKS_URL: 'http://b:8000' })).toBe('http://b:8000')
  expect(urlOf({}, { KAFKA_BROKERS: 'other:9092' })).toBe('http://localhost:8000')
})

test('a profile without a control plane is not replaced by the server of this machine', async () => {
  await lks('set', 'production', '-b', 'kafka:9092', '--use')
  const options = { url: undefined, bootstrap: undefined, properties: [] }
  expect(() => controlUrlOf({ ...options, profile: undefined }, env)).toThrow(/profile 'production' names no control plane/)
  expect(() => controlUrlOf({ ...options, profile: 'production' }, env)).toThrow(/names no control plane/)
})

test.skipIf(process.platform === 'win32')('only the owner can read the file, also if it was there before', async () => {
  await lks('set', 'local', '-b', 'localhost:9092')
  expect(statSync(profilesPath(env)).mode & 0o777).toBe(0o600)
  const open = { LKS_PROFILES: join(folder, 'open.json') }
  writeFileSync(open.LKS_PROFILES, '{"profiles":{}}', { mode: 0o644 })
  env = open
  await lks('set', 'local', '-b', 'localhost:9092')
  expect(statSync(open.LKS_PROFILES).mode & 0o777).toBe(0o600)
})

test('what is not valid is rejected, and nothing is written', async () => {
  await expect(lks('set', 'a', '-b', 'http://x')).rejects.toThrow(/not|HTTP/)
  await expect(lks('set', 'a', '-X', 'client.id=x')).rejects.toThrow(/no cluster is given/)
  await expect(lks('set', 'a b', '-b', 'x:1')).rejects.toThrow(/not a valid name/)
  await expect(lks('use', 'nosuch')).rejects.toThrow(/there is no profile 'nosuch'/)
  await expect(lks('delete', 'constructor')).rejects.toThrow(/there is no profile/)
  expect(readProfiles(env)).toEqual({ current: undefined, profiles: {} })
})

test.each(['{', '[]', '{"profiles":[]}', '{"profiles":{"a":1}}', '{"profiles":{"a":{"b":1}}}', '{"current":1}'])(
  '%s is an error',
  (text) => {
    const path = join(folder, 'damaged.json')
    writeFileSync(path, text)
    expect(() => readProfiles({ LKS_PROFILES: path })).toThrow(UserError)
  },
)

test('the file is in the folder for configurations; an empty LKS_PROFILES means none', () => {
  expect(profilesPath({ XDG_CONFIG_HOME: '/etc/x' })).toBe(join('/etc/x', 'lks', 'profiles.json'))
  expect(profilesPath({})).toMatch(/\.config[\\/]lks[\\/]profiles\.json$/)
  expect(chosenProfile(undefined, { LKS_PROFILES: '' })).toBeUndefined()
})
