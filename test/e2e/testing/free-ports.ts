// Ports for servers that are started again at their addresses: they are not of those that the system gives to other connections while the server is away.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

/** The lowest port that the system may give to a connection or to a listener on port 0. */
const lowest = lowestGiven('/proc/sys/net/ipv4/ip_local_port_range')

/** Held together, so that they differ. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = new Map<number, Server>()
  for (let tries = 0; held.size < count; tries += 1) {
    if (tries > 100 + count) throw new Error(`there are no ${count} free ports below ${lowest}`)
    const port = randomInt(firstPort, lowest)
    const server = held.has(port) ? undefined : await listening(port)
    if (server !== undefined) held.set(port, server)
  }
  await Promise.all([...held.values()].map(async (server) => await new Promise((resolve) => server.close(resolve))))
  return [...held.keys()]
}

const firstPort = 12_000

/** Undefined: the port is in use. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined
    throw error
  }
}

/** Of Linux; other systems give ports from 49,152 on. */
function lowestGiven(path: string): number {
  return existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : 49_152
}
