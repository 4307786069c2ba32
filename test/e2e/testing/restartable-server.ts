// A server that can be killed and started again with its stores and at its addresses, as a client expects of its broker.
import { afterAll, beforeAll, expect } from 'vitest'
import { type Folder, portsOf, type ServerProcess, type ServerRun, startServer, temporaryFolder } from './server.ts'

export class RestartableServer implements AsyncDisposable {
  readonly #fresh: (folder: string) => ServerRun
  #stores: { readonly folder: Folder; readonly run: ServerRun } | undefined
  #server: ServerProcess | undefined

  /** `fresh`: as in stores.ts; by default a directory with SQLite. */
  constructor(fresh: (folder: string) => ServerRun = (folder) => ({ args: ['--dir', folder] })) {
    this.#fresh = fresh
  }

  get kafka(): string {
    return this.#running.kafka
  }

  get urls(): ServerProcess['urls'] {
    return this.#running.urls
  }

  /** The standard error of the current process so far. */
  log(): string {
    return this.#running.log()
  }

  async start(): Promise<void> {
    if (this.#stores === undefined) {
      const folder = await temporaryFolder()
      this.#stores = { folder, run: this.#fresh(folder.path) }
    }
    const ports = this.#server && { ports: portsOf(this.#server) }
    this.#server = await startServer({ ...this.#stores.run, ...ports })
  }

  /** Like `kill -9`. */
  async kill(): Promise<void> {
    await this.#running.kill()
  }

  async restart(): Promise<void> {
    await this.kill()
    await this.start()
  }

  /** The server must drain and end with the exit code 0. */
  async [Symbol.asyncDispose](): Promise<void> {
    const end = await this.#server?.stop()
    await this.#stores?.folder[Symbol.asyncDispose]()
    if (end !== undefined) expect(end.code, end.stderr).toBe(0)
  }

  get #running(): ServerProcess {
    if (this.#server === undefined) throw new Error('the server is used before its start')
    return this.#server
  }
}

/** One server for the tests of a file or a `describe`. */
export function sharedServer(fresh?: (folder: string) => ServerRun): RestartableServer {
  const server = new RestartableServer(fresh)
  beforeAll(() => server.start())
  afterAll(() => server[Symbol.asyncDispose]())
  return server
}
