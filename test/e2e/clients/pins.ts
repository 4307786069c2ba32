// The versions of the clients: each language's own list of packages is the one place that has them.
import { readFileSync } from 'node:fs'
import type { ClientProgram } from './clients.ts'

/** The version at which the client is pinned, without Go's `v`. */
export function pinOf(client: Pick<ClientProgram, 'language' | 'package' | 'program'>): string {
  return versionIn(lists[client.language](client), client.package)
}

/** The version of a Maven artifact of the folder `ecosystem`. */
export function ecosystemPin(artifact: string): string {
  return versionIn({ file: 'ecosystem/pom.xml', pattern: inPom(artifact) }, artifact)
}

interface Pin {
  readonly file: string
  readonly pattern: RegExp
}

function versionIn({ file, pattern }: Pin, name: string): string {
  const [, version] = pattern.exec(readFileSync(new URL(file, import.meta.url), 'utf8')) ?? []
  if (version === undefined) throw new Error(`test/e2e/clients/${file} does not pin ${name}`)
  return version
}

function inPom(artifact: string): RegExp {
  return new RegExp(`<artifactId>${artifact}</artifactId>\\s*<version>([^<]+)<`)
}

const lists = {
  python: ({ package: name }) => ({ file: 'python/requirements.txt', pattern: new RegExp(`^${name}==(\\S+)$`, 'm') }),
  go: ({ package: name, program }) => ({
    file: program === 'old-sarama' ? 'go/old-sarama.mod' : 'go/go.mod',
    pattern: new RegExp(`${name} v(\\S+)`),
  }),
  java: ({ package: name }) => ({ file: 'java/pom.xml', pattern: inPom(name) }),
  node: ({ package: name }) => ({ file: '../../../package.json', pattern: new RegExp(`"${name}": "([^"]+)"`) }),
} as const satisfies Readonly<Record<ClientProgram['language'], (client: Pick<ClientProgram, 'package' | 'program'>) => Pin>>
