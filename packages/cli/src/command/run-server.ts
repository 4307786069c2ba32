// The commands `lks dev` and `lks start`: one server in this process, from its options to its end by a signal.
import { type AgentEvent, defaultLimits, orLate } from '@local-kafka-service/agent'
import { type OptionSources, resolveOptions, type ServerCommand, textOf } from 'local-kafka-service/internal/options'
import { eventLog } from 'local-kafka-service/internal/server/event-log'
import { type Server, startServer } from 'local-kafka-service/internal/server/server'
import { planOf } from 'local-kafka-service/internal/server/server-plan'
import { UserError } from 'local-kafka-service/internal/user-error'
import { productVersion } from 'local-kafka-service/internal/version'
import { boundHeap } from './heap-growth.ts'
import { jsonLog, type Log, terminalLog } from './log.ts'
import { type FirstScreen, firstScreen, readyLine } from './screen.ts'

/** Settles when the server has stopped on request. Rejects with a UserError when it could not start, or ended for another reason. */
export async function runServer(command: ServerCommand, given: OptionSources): Promise<void> {
  const { values, warnings } = resolveOptions(command, given)
  const plan = planOf(command, values)
  const verbose = textOf(values, 'verbose') === 'true'
  const log = process.stderr.isTTY ? terminalLog(process.stderr) : jsonLog({ verbose })
  try {
    for (const message of warnings) log.write({ level: 'warn', message, fields: {} })
    const logged = eventLog({ verbose, write: (line) => log.write(line), monotonic: () => performance.now() })
    // Events before the first screen are logged after it, except the reason why the screen is not shown yet.
    const early: AgentEvent[] = []
    let report = (event: AgentEvent): void => void (event.kind === 'lease watched' ? logged(event) : early.push(event))
    const server = await startServer(plan, (event) => report(event))
    // The server has loaded it already; without the server, the command does not need it.
    const { retentionDefaults } = await import('@local-kafka-service/agent')
    const ready: FirstScreen = {
      server,
      plan,
      retentionMs: Number(retentionDefaults(server.agent.shared.settings)['retention.ms']),
      version: productVersion(),
      ms: Math.round(performance.now()),
      pid: process.pid,
      // A clone has no bin for npx to find.
      lks: process.argv[1]?.endsWith('.ts') === true ? 'npx -y pnpm@12 lks' : 'npx lks',
      columns: process.stdout.columns ?? 80,
    }
    show(ready, log)
    boundHeap()
    report = logged
    for (const event of early) report(event)
    await untilEnd(server, log)
  } finally {
    log.flush()
  }
}

function show(ready: FirstScreen, log: Log): void {
  // The output may no longer be read: `lks dev | head -1` closes the pipe, and the server continues.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  if (process.stdout.isTTY) {
    process.stdout.write(firstScreen(ready))
    return
  }
  process.stdout.write(readyLine(ready))
  const { http } = ready.server
  for (const plane of http === undefined ? [] : [http.control, http.data]) {
    if (plane.movedFrom !== undefined)
      log.write({
        level: 'info',
        message: `port ${plane.movedFrom} is in use; the server listens on ${plane.url} instead`,
        fields: { port: plane.port },
      })
  }
}

async function untilEnd(server: Server, log: Log): Promise<void> {
  const signal = await Promise.race([firstSignal(), server.ended])
  if (signal === 'fenced') {
    await server.stop()
    throw new UserError('LKS-1201', {
      what: 'another agent took over the slots of this one, so this agent has stopped',
      why: 'an agent was started under the same name with --take-over, or this agent did not renew its lease within the time-out',
      fix: ['keep the other agent, or stop it and start this one again'],
    })
  }
  if (signal === 'killed') {
    await server.stop()
    throw new UserError('LKS-1999', {
      what: 'the server ended itself after a defect',
      why: 'its state was no longer reliable; nothing that was acknowledged is lost',
      fix: ['start it again', 'report the defect: the log above has its text'],
    })
  }
  // By POST /agents/{agent}/drain.
  if (signal === 'drained') return await server.stop()
  // A second signal ends the process at once, like a crash, which loses nothing that was acknowledged.
  for (const again of endSignals) process.on(again, () => process.exit(128 + signalNumbers[again]))
  log.write({
    level: 'info',
    message: 'stopping: the server answers pending requests first; send the signal again to end it at once',
    fields: { signal },
  })
  if ((await orLate(server.stop(), { clock, afterMs: defaultLimits.drainMs }, 'late')) === 'late') {
    throw new UserError('LKS-1202', {
      what: `the server did not stop within ${defaultLimits.drainMs / 1000} s and was ended`,
      why: 'a store or a client did not answer; every acknowledged record is kept',
      fix: ['check the log above for the store that did not answer'],
    })
  }
}

/** Its timers keep the process alive. */
const clock = {
  after(delayMs: number, callback: () => void) {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** SIGHUP has no handler, because nohup relies on that. A closed terminal then ends the server like a crash, which loses nothing. */
const endSignals = ['SIGINT', 'SIGTERM'] as const
type EndSignal = (typeof endSignals)[number]
const signalNumbers: Readonly<Record<EndSignal, number>> = { SIGINT: 2, SIGTERM: 15 }

function firstSignal(): Promise<EndSignal> {
  return new Promise((resolve) => {
    for (const signal of endSignals) process.once(signal, () => resolve(signal))
  })
}
