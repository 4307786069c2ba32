// pnpm clients: installs and builds the programs of test/e2e/clients, each language with its own tools. `pnpm clients newest` moves the pins first.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const sources = fileURLToPath(new URL('../test/e2e/clients/', import.meta.url))
const built = join(sources, 'built')
const requirements = join(sources, 'python/requirements.txt')
const modules = ['github.com/IBM/sarama', 'github.com/segmentio/kafka-go', 'github.com/twmb/franz-go', 'github.com/twmb/franz-go/pkg/kadm']

interface Language {
  readonly name: 'python' | 'go' | 'java' | 'ecosystem'
  /** Commands that succeed if the language's tools are installed. */
  readonly tools: readonly (readonly string[])[]
  /** Moves the pins to the newest releases. */
  readonly move: () => void
  readonly build: (folder: string) => void
}

const javaTools = [
  ['mvn', '-v'],
  ['javac', '-version'],
]

const languages: readonly Language[] = [
  {
    name: 'python',
    tools: [['python3', '-c', 'import venv, ensurepip']],
    move() {
      const names = [...readFileSync(requirements, 'utf8').matchAll(/^([\w-]+)==/gm)].map(([, name = '']) => name)
      const python = join(built, 'python/bin/python')
      run(python, ['-m', 'pip', 'install', '--quiet', '--upgrade', ...names])
      const frozen = run(python, ['-m', 'pip', 'freeze'])
      const moved = readFileSync(requirements, 'utf8').replaceAll(/^([\w-]+)==.*$/gm, (line, name: string) => {
        const [found] = new RegExp(`^${name}==.*$`, 'im').exec(frozen) ?? [line]
        return found
      })
      writeFileSync(requirements, moved)
    },
    build(folder) {
      if (!existsSync(join(folder, 'bin/python'))) run('python3', ['-m', 'venv', folder])
      run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
    },
  },
  {
    name: 'go',
    tools: [['go', 'version']],
    move() {
      run('go', ['get', ...modules.map((module) => `${module}@latest`)], join(sources, 'go'))
      run('go', ['mod', 'tidy'], join(sources, 'go'))
    },
    build(folder) {
      mkdirSync(folder, { recursive: true })
      const go = join(sources, 'go')
      run('go', ['build', '-o', `${folder}/`, './sarama', './kafka-go', './franz-go'], go)
      run('go', ['build', '-modfile=old-sarama.mod', '-o', join(folder, 'old-sarama'), './sarama'], go)
    },
  },
  {
    name: 'java',
    tools: javaTools,
    move() {
      const goal = 'org.codehaus.mojo:versions-maven-plugin:2.18.0:use-latest-releases'
      run('mvn', ['-q', '-B', goal, '-Dincludes=org.apache.kafka', '-DgenerateBackupPoms=false'], join(sources, 'java'))
    },
    build: (folder) => buildJava('java', folder),
  },
  {
    // Stays at the version of Kafka that this server is compared with.
    name: 'ecosystem',
    tools: javaTools,
    move() {},
    build: (folder) => buildJava('ecosystem', folder),
  },
]

const [argument, ...rest] = process.argv.slice(2)
if (rest.length > 0 || (argument !== undefined && argument !== 'newest')) {
  console.log('pnpm clients [newest]')
  process.exitCode = 2
} else {
  const results = languages.map((language) => install(language, argument === 'newest'))
  const missing = results.includes('missing')
  if (results.includes('failed') || (missing && process.env.CI === 'true')) process.exitCode = 1
}

function install({ name, tools, move, build }: Language, newest: boolean): 'built' | 'missing' | 'failed' {
  const absent = tools.find(([program = '', ...args]) => spawnSync(program, args, { stdio: 'ignore' }).status !== 0)
  if (absent !== undefined) {
    console.log(`${name}: skipped, because \`${absent.join(' ')}\` does not run here`)
    return 'missing'
  }
  const folder = join(built, name)
  const complete = join(folder, 'complete')
  if (!newest && existsSync(complete) && readFileSync(complete, 'utf8') === digestOf(name)) {
    console.log(`${name}: up to date`)
    return 'built'
  }
  const began = performance.now()
  try {
    rmSync(complete, { force: true })
    build(folder)
    if (newest) {
      move()
      build(folder)
    }
    writeFileSync(complete, digestOf(name))
    console.log(`${name}: built in ${((performance.now() - began) / 1_000).toFixed(1)} s`)
    return 'built'
  } catch (error) {
    console.log(`${name}: ${String(error)}`)
    return 'failed'
  }
}

function buildJava(name: 'java' | 'ecosystem', folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  // Maven writes beside its project file, so it gets a copy of that file.
  mkdirSync(folder, { recursive: true })
  cpSync(join(sources, name, 'pom.xml'), join(folder, 'pom.xml'))
  const jars = join(folder, 'jars')
  run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${jars}`], folder)
  const programs = readdirSync(join(sources, name)).filter((file) => file.endsWith('.java'))
  run('javac', ['-cp', join(jars, '*'), '-d', join(folder, 'classes'), ...programs.map((file) => join(sources, name, file))])
}

/** A digest that changes with the sources and the pins of the language. */
function digestOf(name: Language['name']): string {
  const hash = createHash('sha256')
  const folder = join(sources, name)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !entry.name.endsWith('.pyc'),
  )
  for (const path of files.map((file) => join(file.parentPath, file.name)).toSorted()) hash.update(path).update(readFileSync(path))
  return hash.digest('hex')
}

/** Returns the program's output. Throws an error with the output if the program fails. */
function run(program: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? `${stdout}${stderr}`}`)
  return stdout
}
