// The address of a page: it is in the fragment, so one file serves all pages, and a link to a page can be shared.
import { useEffect, useState } from 'preact/hooks'

export type TopicTab = 'messages' | 'partitions' | 'configs'

export type ServerTab = 'requests' | 'flushes' | 'transactions' | 'upkeep' | 'agents'

export type Route =
  | { readonly page: 'overview' }
  | { readonly page: 'topic'; readonly topic: string; readonly tab: TopicTab }
  | { readonly page: 'groups' }
  | { readonly page: 'group'; readonly group: string }
  | { readonly page: 'server'; readonly tab: ServerTab }
  | { readonly page: 'lost'; readonly address: string }

const tabs: readonly string[] = ['messages', 'partitions', 'configs'] satisfies readonly TopicTab[]
const serverTabs: readonly string[] = ['requests', 'flushes', 'transactions', 'upkeep', 'agents'] satisfies readonly ServerTab[]

export function routeOf(fragment: string): Route {
  const address = fragment.replace(/^#\/?/, '')
  const parts = address.split('/').map(decoded)
  const [first = '', second, third = 'messages', ...rest] = parts
  if (first === '' && second === undefined) return { page: 'overview' }
  if (first === 'groups' && second === undefined) return { page: 'groups' }
  if (first === 'groups' && second !== undefined && rest.length === 0) return { page: 'group', group: second }
  if (first === 'topics' && second !== undefined && tabs.includes(third) && rest.length === 0)
    return { page: 'topic', topic: second, tab: third as TopicTab }
  if (first === 'server' && parts.length === 2 && second !== undefined && serverTabs.includes(second))
    return { page: 'server', tab: second as ServerTab }
  return { page: 'lost', address }
}

export function topicAddress(topic: string, tab: TopicTab = 'messages'): string {
  return `#/topics/${encodeURIComponent(topic)}${tab === 'messages' ? '' : `/${tab}`}`
}

export function serverAddress(tab: ServerTab): string {
  return `#/server/${tab}`
}

export function groupAddress(group: string): string {
  return `#/groups/${encodeURIComponent(group)}`
}

/** The route of the current address. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash))
  useEffect(() => {
    window.onhashchange = () => setRoute(routeOf(location.hash))
    return () => {
      window.onhashchange = null
    }
  }, [])
  return route
}

/** A fragment that was typed by hand may have a broken escape. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    if (error instanceof URIError) return part
    throw error
  }
}
