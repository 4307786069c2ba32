// The held Kafka port over TCP, in its own file so that the port can open before the rest of the agent is loaded.
import { type HeldPort, holdPort } from './held-port.ts'
import type { ListenAddress } from './network.ts'
import { tcpNetwork, unheldTcpNetwork } from './tcp.ts'

/**
 * Opens the port before anything else: a busy port fails before the agent has touched anything, and early clients wait. Rejects with the network's error.
 * `holdsProcess` decides whether the port and its connections keep the process alive.
 */
export function holdTcpPort(addresses: readonly ListenAddress[], { holdsProcess }: { readonly holdsProcess: boolean }): Promise<HeldPort> {
  return holdPort(holdsProcess ? tcpNetwork : unheldTcpNetwork, addresses)
}
