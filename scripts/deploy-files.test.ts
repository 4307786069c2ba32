// The files in deploy/: they parse, and what they tell the server is a configuration that it accepts. Docker and Kubernetes themselves are not run here.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { resolveOptions } from '../packages/local-kafka-service/src/options.ts'
import { planOf, type ServerPlan } from '../packages/local-kafka-service/src/server/server-plan.ts'

const file = (name: string): string => readFileSync(new URL(`../deploy/${name}`, import.meta.url), 'utf8')
const ports = [9092, 8000, 8123]

type Environment = Readonly<Record<string, string>>

/** Throws if the server would not start, and fails for a variable that it does not know. */
function planWith(command: 'dev' | 'start', given: { readonly flags?: Environment; readonly env?: Environment }): ServerPlan {
  const { values, warnings } = resolveOptions(command, { flags: {}, env: {}, file: undefined, ...given })
  expect(warnings).toEqual([])
  return planOf(command, values)
}

test('the Dockerfile is valid, and its ports, its user and its health check are those of the server', () => {
  const text = file('Dockerfile')
  expect(validate(text)).toEqual([])
  expect(/^EXPOSE (.*)$/m.exec(text)?.[1]?.split(' ').map(Number)).toEqual(ports)
  expect(text).toContain('http://127.0.0.1:8000/readyz')
  expect(text.lastIndexOf('\nUSER node\n')).toBeGreaterThan(text.lastIndexOf('\nRUN '))
  const words = /^CMD (\[.*\])$/m.exec(text)?.[1]
  const [command, ...flags] = JSON.parse(words ?? '[]') as readonly string[]
  expect(command).toBe('dev')
  const pairs = flags.flatMap((flag, at) => (flag.startsWith('--') ? [[flag.slice(2).replaceAll('-', '.'), flags[at + 1] ?? '']] : []))
  const plan = planWith('dev', { flags: Object.fromEntries(pairs) as Environment })
  expect(plan).toMatchObject({ dataDirectory: '/data', hosts: ['0.0.0.0'], advertised: { host: 'localhost', port: 9092 } })
})

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment?: Environment
        readonly ports?: readonly string[]
        readonly network_mode?: string
        readonly healthcheck?: { readonly test: readonly string[] }
        readonly depends_on?: object
        readonly volumes?: readonly string[]
        readonly command?: readonly string[]
      }
    >
  >
  readonly volumes: object
}

test('each agent of the compose file has a configuration that the server accepts, and its own name, address and ports', () => {
  const { services, volumes } = parse(file('compose.yaml'), { merge: true }) as Compose
  const agents = Object.entries(services).filter(([name]) => name.startsWith('agent-'))
  expect(agents).toHaveLength(3)
  const published = services['network']?.ports?.map((one) => one.split(':')) ?? []
  const everyPort = published.flatMap(([, outside = '', inside]) => {
    // An agent forwards to the others at the addresses that clients outside use.
    expect(inside).toBe(outside)
    const [first = 0, last = 0] = outside.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  const used = agents.flatMap(([name, { environment = {}, command, network_mode: network, healthcheck }]) => {
    expect([command, network]).toEqual([['start'], 'service:network'])
    const { objects, metadata, hosts, advertised, kafkaPort, http } = planWith('start', { env: environment })
    expect([objects.kind, metadata.kind, hosts]).toEqual(['s3', 'postgres', ['0.0.0.0']])
    expect(environment['LKS_AGENT_NAME']).toBe(name)
    expect(advertised).toEqual({ host: 'localhost', port: kafkaPort })
    expect(healthcheck?.test.at(-1)).toContain(`http://127.0.0.1:${http?.control.port}/readyz`)
    return [kafkaPort, http?.control.port, http?.data.port]
  })
  expect(used).toHaveLength(9)
  expect(new Set(used)).toEqual(new Set(everyPort))
  for (const { depends_on: needed = [], volumes: mounted = [] } of Object.values(services)) {
    for (const name of Array.isArray(needed) ? needed : Object.keys(needed)) expect(Object.keys(services)).toContain(name)
    for (const mount of mounted) expect(Object.keys(volumes)).toContain(mount.split(':')[0])
  }
})

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly selector?: Environment & { readonly matchLabels?: Environment }
    readonly serviceName?: string
    readonly template?: {
      readonly metadata: { readonly labels: Environment }
      readonly spec: { readonly containers: readonly Container[] }
    }
  }
}

interface Container {
  readonly args: readonly string[]
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } }
}

test('the manifests for Kubernetes belong together, and the agents have a configuration that the server accepts', () => {
  const documents = parseAllDocuments(file('kubernetes/agents.yaml'))
  expect(documents.flatMap((document) => document.errors)).toEqual([])
  const manifests = documents.map((document) => document.toJS() as Manifest)
  const set = manifests.find(({ kind }) => kind === 'StatefulSet')
  const { template, serviceName } = set?.spec ?? {}
  const services = manifests.filter(({ kind }) => kind === 'Service')
  expect(services.map(({ metadata }) => metadata.name)).toContain(serviceName)
  for (const { spec } of services) expect(spec.selector).toEqual(template?.metadata.labels)
  const [agent] = template?.spec.containers ?? []
  expect(agent?.args).toEqual(['start'])
  expect(agent?.ports.map(({ containerPort }) => containerPort)).toEqual(ports)
  expect(agent?.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'control' })
  // What Kubernetes fills in.
  const pod: Environment = { LKS_AGENT_NAME: 'lks-0', POD_NAMESPACE: 'test' }
  const filled = agent?.env.map(({ name, value = pod[name] ?? '' }) => [
    name,
    value.replaceAll(/\$\((\w+)\)/g, (_, of: string) => pod[of] ?? ''),
  ])
  const secret = { LKS_STORAGE: 's3://bucket/prefix', LKS_METADATA: 'postgres://lks@db/lks' }
  const plan = planWith('start', { env: { ...secret, ...(Object.fromEntries(filled ?? []) as Environment) } })
  expect(plan.advertised).toEqual({ host: `lks-0.${serviceName}.test.svc.cluster.local`, port: 9092 })
})

const systemd = spawnSync('systemd-analyze', ['--version']).status === 0
if (process.env['CI'] === 'true') test('systemd-analyze is there', () => expect(systemd).toBe(true))

test.skipIf(!systemd)('the systemd unit is valid', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lks-unit-'))
  try {
    // The program that it starts need not be installed here.
    const unit = join(folder, 'lks.service')
    writeFileSync(unit, file('lks.service').replace('ExecStart=/usr/bin/lks', 'ExecStart=/bin/true'))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' })
    expect([status, stderr.split('\n').filter((line) => line.includes('lks.service'))]).toEqual([0, []])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
