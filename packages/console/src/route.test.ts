// The addresses of the pages.
import { expect, test } from 'vitest'
import { groupAddress, routeOf, topicAddress } from './route.ts'

test.each([
  ['', { page: 'overview' }],
  ['#/', { page: 'overview' }],
  ['#/topics/orders', { page: 'topic', topic: 'orders', tab: 'messages' }],
  ['#/topics/orders/configs', { page: 'topic', topic: 'orders', tab: 'configs' }],
  ['#/groups', { page: 'groups' }],
  ['#/groups/a%2Fb', { page: 'group', group: 'a/b' }],
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
