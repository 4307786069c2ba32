// An agent in a process of its own, whose upkeep waits for seconds instead of minutes: FOLDER PORT idle|busy. It prints a line of JSON for each job that has done something.
import { join } from 'node:path'
import { createAgent, defaultLimits, holdTcpPort, openParts, settings } from '../../../packages/agent/src/index.ts'

/** The kinds of events that are printed, and `ready`, which has the address. */
export interface UpkeepLine {
  readonly kind: 'ready' | 'records removed' | 'log compacted' | 'segments merged' | 'objects swept'
  readonly kafka?: string
}

const [folder = '', kafkaPort = '0', upkeep = 'idle'] = process.argv.slice(2)
const printed: ReadonlySet<string> = new Set<UpkeepLine['kind']>(['records removed', 'log compacted', 'segments merged', 'objects swept'])
/** Some days: a timer holds no more. */
const never = 2 ** 30
const isBusy = upkeep === 'busy'
const given = Object.entries({
  'storage.merge.interval.ms': isBusy ? 300 : never,
  'storage.merge.max.age.ms': 0,
  'log.cleaner.backoff.ms': isBusy ? 200 : never,
  'log.retention.check.interval.ms': isBusy ? 300 : never,
}).map(([name, value]) => [name, { value: String(value), source: 'flag' as const }])
const port = await holdTcpPort([{ host: '127.0.0.1', port: Number(kafkaPort) }], { holdsProcess: true })
const opened = await openParts({
  port,
  objects: { kind: 'directory', path: join(folder, 'objects') },
  metadata: { kind: 'sqlite', path: join(folder, 'metadata.db') },
  durability: 'os',
  storeLatencyMs: 0,
  holdsProcess: true,
  afterPowerLoss: false,
  clusterId: undefined,
  emit: () => {},
})
const limits = {
  ...defaultLimits,
  mergeQuietMs: 0,
  readersGraceMs: isBusy ? 2_000 : never,
  retentionFirstMs: isBusy ? 500 : never,
}
const agent = await createAgent(
  {
    ...opened.parts,
    limits,
    emit(event) {
      if (printed.has(event.kind)) console.log(JSON.stringify({ kind: event.kind }))
    },
  },
  {
    settings: settings('dev', Object.fromEntries(given)),
    listen: opened.listen,
    takeOver: 'own name at once',
    flush: { maxBytes: 1024 * 1024, lingerMs: 0, flushesInFlight: 1, putsPerSecond: Number.POSITIVE_INFINITY, burst: 1 },
  },
)
const [address] = agent.addresses
const ready: UpkeepLine = { kind: 'ready', kafka: `127.0.0.1:${address?.port}` }
console.log(JSON.stringify(ready))
// The test ends its input to end it.
process.stdin.resume().on('end', () => {
  void (async () => {
    await agent.drain()
    await opened.close()
  })()
})
