// Where the HTTP clients of other agents find this one: under the host that it advertises to Kafka clients, at the ports on which HTTP listens.
import { hostname } from 'node:os'
import type { HttpUrls } from '@local-kafka-service/agent'
import type { HttpServers } from '@local-kafka-service/http'
import { isEveryAddress } from '../options.ts'
import type { ServerPlan } from './server-plan.ts'

export function httpUrls(
  { advertised }: Pick<ServerPlan, 'advertised'>,
  { control, data }: { readonly [plane in 'control' | 'data']: Pick<HttpServers[plane], 'addresses'> },
): HttpUrls {
  const urlOf = ({ addresses: [first] }: Pick<HttpServers['control'], 'addresses'>): string | null => {
    if (first === undefined) return null
    const host = advertised?.host ?? reachable(first.host)
    return `http://${host.includes(':') ? `[${host}]` : host}:${first.port}`
  }
  return { controlUrl: urlOf(control), dataUrl: urlOf(data) }
}

/** All addresses of this machine have its name. */
function reachable(host: string): string {
  return isEveryAddress(host) ? hostname() : host
}
