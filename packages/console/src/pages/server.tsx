// The server itself: what it is asked, how it stores, its transactions, what looks after the stored data, and which agents there are.
import type { JSX } from 'preact'
import { type ServerTab, serverAddress } from '../route.ts'
import { Agents } from './agents.tsx'
import { Flushes } from './flushes.tsx'
import { Requests } from './requests.tsx'
import { Transactions } from './transactions.tsx'
import { Upkeep } from './upkeep.tsx'

const tabs: readonly (readonly [ServerTab, string])[] = [
  ['requests', 'Requests'],
  ['flushes', 'Flushes'],
  ['transactions', 'Transactions'],
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
      {tab === 'transactions' && <Transactions />}
      {tab === 'upkeep' && <Upkeep />}
      {tab === 'agents' && <Agents />}
    </>
  )
}
