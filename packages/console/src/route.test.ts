// The addresses of the pages.
import { expect, test } from 'vitest'
import { groupAddress, routeOf, serverAddress, topicAddress } from './route.ts'

test.each([
  ['', { page: 'overview' }],
  ['#/', { page: 'overview' }],
  ['#/topics/orders', { page: 'topic', topic: 'orders', tab: 'messages' }],
  ['#/topics/orders/configs', { page: 'topic', topic: 'orders', tab: 'configs' }],
  ['#/groups', { page: 'groups' }],
  ['#/groups/a%2Fb', { page: 'group', group: 'a/b' }],
  ['#/server/flushes', { page: 'server', tab: 'flushes' }],
  ['#/server/other', { page: 'lost', address: 'server/other' }],
  ['#/server/flushes/more', { page: 'lost', address: 'server/flushes/more' }],
  ['#/topics/orders/other', { page: 'lost', address: 'topics/orders/other' }],
  ['#/nowhere', { page: 'lost', address: 'nowhere' }],
  ['#/groups/%', { page: 'group', group: '%' }],
])('%s', (fragment, route) => {
  expect(routeOf(fragment)).toEqual(route)
})

test.each(['orders', 'a/b', 'ä ö', '100%', '#'])('the address of %s leads to it', (name) => {
  expect(routeOf(groupAddress(name))).toEqual({ page: 'group', group: name })
  expect(routeOf(topicAddress(name, 'partitions'))).toEqual({ page: 'topic', topic: name, tab: 'partitions' })
})

test.each(['requests', 'flushes', 'upkeep', 'agents'] as const)('the address of the part %s of the server leads to it', (tab) => {
  expect(routeOf(serverAddress(tab))).toEqual({ page: 'server', tab })
})
