// Three agents of one cluster on PostgreSQL and S3, each a process of its own, of which one after another is killed and comes back.
import { randomUUID } from 'node:crypto'
import { must } from '../../../packages/agent/src/core/assert.ts'
import type { TestPostgres } from '../../../packages/agent/src/metadata/testing/postgres-server.ts'
import { type S3Server, startS3Server } from '../../../packages/agent/src/objects/testing/s3-server.ts'
import { portsOf, type ServerProcess, startServer } from './server.ts'
import { s3Env } from './stores.ts'

export class AgentCluster implements AsyncDisposable {
  readonly #postgres: TestPostgres
  readonly #s3: S3Server
  readonly #clusterId = randomUUID()
  readonly #agents = new Map<string, ServerProcess>()
  readonly #argsOf: (name: string) => readonly string[]

  private constructor(postgres: TestPostgres, s3: S3Server, argsOf: (name: string) => readonly string[]) {
    this.#postgres = postgres
    this.#s3 = s3
    this.#argsOf = argsOf
  }

  /** `argsOf` returns more arguments of an agent. */
  static async start(
    postgres: TestPostgres,
    names: readonly string[],
    argsOf: (name: string) => readonly string[] = () => [],
  ): Promise<AgentCluster> {
    const cluster = new AgentCluster(postgres, await startS3Server(), argsOf)
    for (const name of names) await cluster.#begin(name)
    return cluster
  }

  /** The addresses of the agents that run. */
  get kafka(): string {
    return [...this.#agents.values()].map(({ kafka }) => kafka).join()
  }

  /** An agent that runs. */
  of(name: string): ServerProcess {
    return must(this.#agents.get(name), `the agent ${name}`)
  }

  get urls(): ServerProcess['urls'] {
    const [first] = this.#agents.values()
    if (first === undefined) throw new Error('no agent runs')
    return first.urls
  }

  /** Like `kill -9` of the agent that was started first, which starts again at its addresses after a while: others have its slots by then, or not. */
  async killOne(downMs: number): Promise<void> {
    const [oldest] = this.#agents
    if (oldest === undefined) throw new Error('no agent runs')
    const begin = await this.kill(oldest[0])
    await new Promise((resolve) => setTimeout(resolve, downMs))
    await begin()
  }

  /** Like `kill -9`. The result starts the agent again, at its addresses. */
  async kill(name: string): Promise<() => Promise<void>> {
    const agent = this.of(name)
    await agent.kill()
    this.#agents.delete(name)
    return () => this.#begin(name, portsOf(agent))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) await agent.kill()
    await this.#s3[Symbol.asyncDispose]()
  }

  async #begin(name: string, ports?: readonly string[]): Promise<void> {
    const args = ['--cluster-id', this.#clusterId, '--agent-name', name, '--flush-puts-per-second', '1000', '--flush-linger-ms', '5']
    args.push(...this.#argsOf(name))
    const storage = `s3://${this.#s3.bucket}/${this.#clusterId}`
    const env = { ...s3Env(this.#s3), LKS_STORAGE: storage, LKS_METADATA: this.#postgres.url }
    this.#agents.set(name, await startServer({ command: 'start', args, env, ...(ports && { ports }) }))
  }
}
