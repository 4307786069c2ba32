// The console's shell: the navigation, the state of the server, and the page of the current address.
import { type JSX, render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { GroupPage } from './pages/group.tsx'
import { GroupsPage } from './pages/groups.tsx'
import { Overview } from './pages/overview.tsx'
import { ServerPage } from './pages/server.tsx'
import { TopicPage } from './pages/topic.tsx'
import { Empty } from './parts/states.tsx'
import { useAway } from './parts/use-polled.ts'
import { type Route, serverAddress, useRoute } from './route.ts'

function Console(): JSX.Element {
  const route = useRoute()
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)
  const address = JSON.stringify({ ...route, tab: undefined })
  useEffect(() => {
    document.title = titleOf(route)
    // A screen reader begins at the new page, as after the load of a document.
    if (!isFirst.current) main.current?.focus()
    isFirst.current = false
  }, [address])
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the contents
      </a>
      <header class="bar">
        <a class="brand" href="#/">
          Local Kafka Service
        </a>
        <nav aria-label="Pages">
          <a href="#/" aria-current={route.page === 'overview' || route.page === 'topic' ? 'page' : undefined}>
            Overview
          </a>
          <a href="#/groups" aria-current={route.page === 'groups' || route.page === 'group' ? 'page' : undefined}>
            Groups
          </a>
          <a href={serverAddress('requests')} aria-current={route.page === 'server' ? 'page' : undefined}>
            Server
          </a>
          <a href="/docs">API</a>
        </nav>
      </header>
      <Away />
      <main id="main" ref={main} tabIndex={-1}>
        <Page route={route} />
      </main>
    </>
  )
}

function Page({ route }: { readonly route: Route }): JSX.Element {
  switch (route.page) {
    case 'overview':
      return <Overview />
    case 'topic':
      return <TopicPage key={route.topic} topic={route.topic} tab={route.tab} />
    case 'groups':
      return <GroupsPage />
    case 'group':
      return <GroupPage key={route.group} group={route.group} />
    case 'server':
      return <ServerPage tab={route.tab} />
    case 'lost':
      return (
        <Empty isPage title="There is no such page">
          <p>
            <a href="#/">Go to the overview</a>
          </p>
        </Empty>
      )
  }
}

function Away(): JSX.Element | null {
  return useAway() ? (
    <p class="away" role="alert">
      <strong>The server is away.</strong> This page shows what it knew last, and goes on as soon as the server answers.
    </p>
  ) : null
}

function titleOf(route: Route): string {
  switch (route.page) {
    case 'overview':
      return 'Local Kafka Service'
    case 'topic':
      return `${route.topic} – Local Kafka Service`
    case 'groups':
      return 'Groups – Local Kafka Service'
    case 'group':
      return `${route.group} – Local Kafka Service`
    case 'server':
      return 'Server – Local Kafka Service'
    case 'lost':
      return 'Not found – Local Kafka Service'
  }
}

const app = document.getElementById('app')
if (app !== null) {
  app.replaceChildren()
  render(<Console />, app)
}
