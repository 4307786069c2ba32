// The Kafka port over TCP, held: a file of its own, so that it can be open before the rest of the agent is loaded.
import { type HeldPort, holdPort } from './held-port.ts'
import type { ListenAddress } from './network.ts'
import { tcpNetwork, unheldTcpNetwork } from './tcp.ts'

/**
 * Opened before anything else: a busy one fails while nothing is touched, and clients that come early wait. Rejects with the network's error.
 * `holdsProcess`: whether the port and its connections keep the process alive.
 */
export function holdTcpPort(addresses: readonly ListenAddress[], { holdsProcess }: { readonly holdsProcess: boolean }): Promise<HeldPort> {
  return holdPort(holdsProcess ? tcpNetwork : unheldTcpNetwork, addresses)
}
