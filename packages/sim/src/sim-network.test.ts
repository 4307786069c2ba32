// What the simulated network owes to those who write: until a connection has drained or closed, their memory is the network's, and afterwards it is theirs again.
import { expect, test } from 'vitest'
import { Chance } from './chance.ts'
import { Life } from './life.ts'
import { VirtualTime } from './sim-clock.ts'
import { SimNetwork } from './sim-network.ts'

const address = { host: 'agent', port: 9092 }

test.each(['end', 'destroy'] as const)(
  'bytes on their way arrive as they were written, although their memory is used again after %s',
  async (over) => {
    const time = new VirtualTime()
    const network = new SimNetwork(time, new Chance('network'), { latencyMs: [10, 20], split: 0.5, cut: 0 })
    const memory = Buffer.from('an answer')
    await network.of(new Life('agent', time)).listen([address], {
      onConnection: (socket) => ({
        data: () => {
          socket.write([memory])
          socket[over]()
        },
        drained: () => memory.fill(0),
        closed: () => memory.fill(0),
      }),
      onAcceptError: (error) => expect.fail(error.message),
    })
    let received = ''
    let isClosed = false
    const connected = network.connect('client', address, { data: (chunk) => (received += String(chunk)), closed: () => (isClosed = true) })
    void connected.then((wire) => wire.send(Buffer.from('a request')))
    expect(await time.run(() => isClosed, 1_000)).toBe(true)
    expect(received).toBe('an answer')
    expect(memory.every((byte) => byte === 0)).toBe(true)
  },
)
