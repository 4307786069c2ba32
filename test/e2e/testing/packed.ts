// The packages as a user gets them: packed by pnpm, installed by npm into folders of their own, run by a Node of any version.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ProgramEnd, runProgram, startProgram } from '../../../packages/sim/src/program.ts'
import { succeeds } from './programs.ts'
import { repository } from './server.ts'

/** Without it nothing can be installed. */
export const hasRegistry = succeeds('npm', ['view', 'node', 'version', '--fetch-retries=0', '--fetch-timeout=10000'], plainEnv())

export interface Packed {
  /** Paths of the packed files, by the name of the package. */
  readonly files: Readonly<Record<'local-kafka-service' | '@local-kafka-service/protocol', string>>
}

/** Builds and packs both published packages into the folder, as the guide has it. */
export async function pack(folder: string): Promise<Packed> {
  const filters = ['--filter', 'local-kafka-service', '--filter', '@local-kafka-service/protocol']
  await runAsUser('npx', ['-y', 'pnpm@12', ...filters, 'pack', '--pack-destination', folder], { cwd: repository })
  const names = await readdir(folder)
  const file = (pattern: RegExp): string => {
    const name = names.find((each) => pattern.test(each))
    if (name === undefined) throw new Error(`${folder} has no ${pattern.source}, only ${names.join(', ')}`)
    return join(folder, name)
  }
  return {
    files: {
      'local-kafka-service': file(/^local-kafka-service-\d.*\.tgz$/),
      '@local-kafka-service/protocol': file(/^local-kafka-service-protocol-\d.*\.tgz$/),
    },
  }
}

/** `npm install` of what is given, in a new folder. Resolves with what npm printed. */
export async function install(folder: string, wanted: readonly string[], options: readonly string[] = []): Promise<string> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "name": "somebody", "version": "1.0.0", "private": true }\n')
  const { stdout, stderr } = await runAsUser('npm', ['install', '--no-audit', '--no-fund', ...options, ...wanted], { cwd: folder })
  return `${stdout}${stderr}`
}

const binaries = new Map<string, Promise<string>>()

/** The path of a Node, from the package that has its binary: `22.19.0`, or `22` for the newest of them. Installed once per folder. */
export function nodeBinary(folder: string, version: string): Promise<string> {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${platform}-${process.arch}`
  const into = join(folder, `node-${version}`)
  const installed = binaries.get(into) ?? install(into, [`${name}@${version}`]).then(() => join(into, 'node_modules', name, 'bin', 'node'))
  binaries.set(into, installed)
  return installed
}

export interface InstalledPackage {
  readonly name: string
  readonly version: string
  readonly scripts: Readonly<Record<string, string>>
  readonly hasNativeSource: boolean
}

/** Every package below a folder's node_modules. */
export async function packagesIn(folder: string): Promise<readonly InstalledPackage[]> {
  const found: InstalledPackage[] = []
  const paths = await readdir(join(folder, 'node_modules'), { recursive: true })
  for (const path of paths.filter((each) => /^(.*\/node_modules\/)?(@[^/]+\/)?[^/@][^/]*\/package\.json$/.test(each))) {
    const at = join(folder, 'node_modules', path)
    // The cast: npm installs nothing without a name and a version.
    const manifest = JSON.parse(await readFile(at, 'utf8')) as Pick<InstalledPackage, 'name' | 'version'> &
      Partial<Pick<InstalledPackage, 'scripts'>>
    const hasNativeSource = paths.includes(path.replace(/package\.json$/, 'binding.gyp'))
    found.push({ name: manifest.name, version: manifest.version, scripts: manifest.scripts ?? {}, hasNativeSource })
  }
  return found
}

/** Of all files below. */
export async function bytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}

interface UserRun {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the program as from a user's shell. Rejects with its output if it fails. */
export async function runAsUser(program: string, args: readonly string[], { cwd, env }: UserRun): Promise<ProgramEnd> {
  return await runProgram(program, args, { cwd, env: { ...plainEnv(), ...env } })
}

/** The same for a program that may fail. */
export async function endAsUser(program: string, args: readonly string[], { cwd, env }: UserRun): Promise<ProgramEnd> {
  return await startProgram(program, args, { cwd, env: { ...plainEnv(), ...env }, limitMs: 100_000 }).ended
}

/** The environment of a user's shell: without variables that pnpm and Vitest set for this process, because npm would warn about them and Node would use them. */
function plainEnv(): Record<string, string | undefined> {
  const foreign = /^(p?npm_(?!config_(registry|cache)$)|NODE_(ENV|OPTIONS|PATH|V8_COVERAGE)$|VITEST|TEST$|LKS_|CI$)/i
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)))
}
