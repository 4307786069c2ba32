// A way from a network of its own (hosts.ts) to a server outside of it: a socket in the file system, which both sides see.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startTcpProxy } from './tcp-proxy.ts'

export interface Passage extends AsyncDisposable {
  /** Of the socket. */
  readonly path: string
}

/** For the outside: what connects to the socket reaches the server of the URL. */
export async function openPassage(url: string): Promise<Passage> {
  const { hostname: host, port } = new URL(url)
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'lks-chaos-passage-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const path = join(folder, 'socket')
  stack.use(await startTcpProxy({ target: { host, port: Number(port) }, listen: { path } }))
  const owned = stack.move()
  return { path, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

export interface InnerEnd extends AsyncDisposable {
  readonly url: string
}

/** For the inside: the URL of the same server with an address that exists here. */
export async function enterPassage(url: string, path: string): Promise<InnerEnd> {
  const proxy = await startTcpProxy({ target: { path }, listen: { host: '127.0.0.1', port: 0 } })
  const inner = new URL(url)
  inner.hostname = '127.0.0.1'
  inner.port = String(proxy.port)
  return { url: inner.href, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() }
}
