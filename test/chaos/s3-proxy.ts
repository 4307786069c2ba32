// An HTTP proxy in front of an S3 server, which can delay, reject or cut requests, and lose the answers of requests that were applied.
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Chance } from '../../packages/sim/src/chance.ts'

export interface S3Weather {
  /** Each request waits about so long. */
  readonly delayMs: number
  /** The share of requests that fail, from 0 to 1. */
  readonly failing: number
  /** Every request ends with its connection. */
  readonly away: boolean
}

export const fairWeather: S3Weather = { delayMs: 0, failing: 0, away: false }

export interface S3Proxy extends AsyncDisposable {
  readonly endpoint: string
  readonly failures: number
  weather: S3Weather
}

/** How a request fails. `after`: it was applied. */
type Failure = 'busy' | 'cut before' | 'cut after' | 'error after' | 'cut in the answer'

const failureKinds: readonly Failure[] = ['busy', 'busy', 'cut before', 'cut after', 'error after', 'cut in the answer']

/** Signatures hold, because the name of the host travels unchanged. */
export async function startS3Proxy(target: string, chance: Chance, listen = '127.0.0.1'): Promise<S3Proxy> {
  const { hostname, port } = new URL(target)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  let weather = fairWeather
  let failures = 0

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming)
    if (weather.delayMs > 0) await delay(chance.between([0.5, 1.5]) * weather.delayMs)
    if (weather.away) return void response.destroy()
    const failure = chance.happens(weather.failing) ? chance.pick(failureKinds) : undefined
    if (failure !== undefined) failures += 1
    if (failure === 'cut before') return void response.destroy()
    if (failure === 'busy') return fail(response, 503, 'SlowDown')
    const answer = await forwarded(incoming, body)
    const content = await bodyOf(answer)
    if (failure === 'cut after') return void response.destroy()
    if (failure === 'error after') return fail(response, 500, 'InternalError')
    response.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
    if (failure === 'cut in the answer') return void response.write(content.subarray(0, content.length / 2), () => response.destroy())
    response.end(content)
  }

  function forwarded(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const { method, url: path } = incoming
      const options = { hostname, port, method, path, headers: incoming.rawHeaders as unknown as Record<string, string>, agent }
      httpRequest(options, resolve).once('error', reject).end(body)
    })
  }

  const server = createServer((incoming, response) => {
    // The connection of the server, or of its client, is gone: then so is this one.
    serve(incoming, response).catch(() => response.destroy())
  })
  server.listen(0, listen)
  await once(server, 'listening')
  return {
    endpoint: `http://${listen}:${(server.address() as AddressInfo).port}`,
    get failures() {
      return failures
    },
    get weather() {
      return weather
    },
    set weather(next) {
      weather = next
    },
    async [Symbol.asyncDispose]() {
      agent.destroy()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function fail(response: ServerResponse, status: number, code: string): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': text.length })
  response.end(text)
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
