// Opens the Kafka port: one connection for each accepted socket, shared budgets, and an orderly shutdown.
import type { AnyHandler } from '../api/handler.ts'
import { fixedLimits, type Limits } from '../limits.ts'
import type { SlabPool } from '../memory/slab-pool.ts'
import type { MemoryUse } from '../observe/gauges.ts'
import type { Services } from '../services.ts'
import { number } from '../settings.ts'
import { orLate } from '../time/or-late.ts'
import { Connection, type ConnectionParts } from './connection.ts'
import { ConnectionQuotas } from './connection-quotas.ts'
import { dispatcher, misunderstood } from './dispatch.ts'
import { handle, type Peer } from './exchange.ts'
import { FramePool } from './frame-pin.ts'
import { intercepted } from './intercepted.ts'
import type { Interceptor } from './interceptor.ts'
import { notKafka } from './misunderstanding.ts'
import type { ListenAddress, Network, Socket, SocketEvents } from './network.ts'
import { Permits } from './permits.ts'
import { StalledReaders } from './stalled-readers.ts'
import { TurnCounter } from './turn-counter.ts'

export interface KafkaPortOptions {
  readonly network: Network
  readonly listen: readonly ListenAddress[]
  /** The address that every client gets; without it, each client gets the address that it connected to. */
  readonly advertised?: { readonly host: string; readonly port: number }
  readonly handlers: readonly AnyHandler[]
  readonly services: Services
  readonly memory: SlabPool
  readonly limits: Pick<Limits, 'smallFramePoolBytes' | 'framePoolBytes' | 'pooledFrameBytes' | 'drainMs'> & ConnectionParts['limits']
  /** Injects faults in a test. */
  readonly interceptor?: Interceptor
}

export interface KafkaPort {
  readonly addresses: readonly ListenAddress[]
  readonly connections: number
  /** The memory of frames that are being read or handled. */
  readonly frameMemory: readonly MemoryUse[]
  /** Settles as soon as no client is connected. */
  idle(): Promise<void>
  stopAccepting(): void
  /** Takes no more requests. Settles when every admitted request is answered and its connection closed, or after limits.drainMs. */
  drain(): Promise<void>
  /** Closes the port and all connections at once. */
  close(): void
}

/** Rejects when an address is taken or is not an address of this machine. */
export async function serveKafka(options: KafkaPortOptions): Promise<KafkaPort> {
  const { network, listen, handlers, services, memory, limits } = options
  const { ioClock: clock, emit, settings } = services
  const dispatch = dispatcher(handlers, services)
  const permits = {
    small: new Permits({ capacityBytes: limits.smallFramePoolBytes, incompletePart: fixedLimits.incompleteSmallFramesPart, clock }),
    large: new Permits({ capacityBytes: limits.framePoolBytes, clock }),
  }
  const frameMemory = new FramePool(memory, limits)
  const idleMs = number(settings, 'connections.max.idle.ms')
  const turns = new TurnCounter(clock)
  const quotas = new ConnectionQuotas(settings, clock)
  const connections = new Set<Connection>()
  const stalled = new StalledReaders({
    clock,
    holders: connections,
    giveWay: (connection, message) => connection.giveWay('answers', message),
  })
  services.answerMemory.onStarved(() => stalled.starved())
  let opened = 0
  const onEmpty = new Set<() => void>()
  const idle = (): Promise<void> => (connections.size === 0 ? Promise.resolve() : new Promise((resolve) => void onEmpty.add(resolve)))

  function accept(socket: Socket): SocketEvents {
    const { host: address } = socket.remote
    const admitted = quotas.admit(address)
    if (admitted.kind === 'rejected') {
      emit({ kind: 'connection rejected', address, setting: admitted.setting, limit: admitted.limit })
      socket.destroy()
      return rejectedSocket
    }
    const connectionId = (opened += 1)
    const interceptor = options.interceptor?.opened({
      id: connectionId,
      address,
      close: (reason) => connection.end(reason),
    })
    const peer: Peer = {
      connectionId,
      address,
      listener: 'PLAINTEXT',
      advertised: options.advertised ?? advertisedOn(socket.local, listen),
      software: undefined,
      requests: 0,
      handle: interceptor === undefined ? handle : intercepted(handle, interceptor),
      ...(interceptor && { onMisunderstood: (report) => interceptor.misunderstood(report) }),
    }
    const connection = new Connection({
      socket,
      clock,
      permits,
      limits,
      idleMs,
      turns,
      memory: frameMemory,
      handle: (frame, signal, pin) => {
        // It may keep a request for longer than its handling.
        if (interceptor !== undefined) pin.abandonMemory()
        return dispatch(frame, peer, signal, pin)
      },
      onProtocolError: (error) => void misunderstood(notKafka(error), { peer, services }),
      onGaveWay: (held, message) => emit({ kind: 'gave way', connectionId, address, held, message }),
      onClosed: ({ cause, reason }) => {
        connections.delete(connection)
        quotas.closed(connection)
        interceptor?.closed(reason)
        emit({ kind: 'connection closed', connectionId, cause, reason })
        if (connections.size > 0) return
        for (const resolve of onEmpty) resolve()
        onEmpty.clear()
      },
    })
    connections.add(connection)
    quotas.opened(connection, address)
    emit({ kind: 'connection opened', connectionId, address })
    return connection
  }

  const listener = await network.listen(listen, {
    onConnection: accept,
    onAcceptError: ({ message }) => emit({ kind: 'accept failed', message }),
    onEarlyRejected: (rejected) => emit({ kind: 'early connections rejected', ...rejected }),
  })
  const stopAccepting = (): void => void listener.close()

  return {
    addresses: listener.addresses,
    get connections() {
      return connections.size
    },
    get frameMemory() {
      return [
        { part: 'small frames', ...permits.small.gauge },
        { part: 'large frames', ...permits.large.gauge },
      ]
    },
    idle,
    stopAccepting,
    drain() {
      if (connections.size === 0) return Promise.resolve()
      const empty = idle()
      for (const connection of connections) connection.drain()
      return orLate(empty, { clock, afterMs: limits.drainMs }, undefined)
    },
    close() {
      stopAccepting()
      for (const connection of connections) connection.destroy({ cause: 'stop', reason: 'the agent stops' })
    },
  }
}

/** The address at which a client of `local` reaches this agent again. */
export function advertisedOn(local: ListenAddress, listen: readonly ListenAddress[]): { readonly host: string; readonly port: number } {
  const hosts = new Set(listen.map(({ host }) => host))
  const both = hosts.has('localhost') || (hosts.has('127.0.0.1') && hosts.has('::1'))
  // A client on this machine can always use `localhost`, if both address families are served.
  if (both && (local.host === '127.0.0.1' || local.host === '::1')) return { host: 'localhost', port: local.port }
  return { host: local.host, port: local.port }
}

/** The events of a socket that was rejected. */
const rejectedSocket: SocketEvents = { data() {}, drained() {}, closed() {} }
