// The server itself: what it is asked, how it stores, what looks after the stored data, and which agents there are.
import type { JSX } from 'preact'
import { type ServerTab, serverAddress } from '../route.ts'
import { Agents } from './agents.tsx'
import { Flushes } from './flushes.tsx'
import { Requests } from './requests.tsx'
import { Upkeep } from './upkeep.tsx'

const tabs: readonly (readonly [ServerTab, string])[] = [
  ['requests', 'Requests'],
  ['flushes', 'Flushes'],
  ['upkeep', 'Upkeep'],
  ['agents', 'Agents'],
]

export function ServerPage({ tab }: { readonly tab: ServerTab }): JSX.Element {
  return (
    <>
      <header class="title">
        <h1>Server</h1>
      </header>
      <nav class="tabs" aria-label="Parts of the server">
        {tabs.map(([name, label]) => (
          <a key={name} href={serverAddress(name)} aria-current={name === tab ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      {tab === 'requests' && <Requests />}
      {tab === 'flushes' && <Flushes />}
      {tab === 'upkeep' && <Upkeep />}
      {tab === 'agents' && <Agents />}
    </>
  )
}
