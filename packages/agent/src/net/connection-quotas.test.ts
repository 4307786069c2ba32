// The connections that give way to a new one, and those that do not.
import { expect, test } from 'vitest'
import { fixedLimits } from '../limits.ts'
import { settings } from '../settings.ts'
import { ManualClock } from '../time/testing/manual-clock.ts'
import { ConnectionQuotas, type CountedConnection } from './connection-quotas.ts'

function quotas(more: { readonly max: number; readonly perAddress?: number }) {
  const clock = new ManualClock()
  const value = (count: number) => ({ value: String(count), source: 'flag' }) as const
  const counted = new ConnectionQuotas(
    settings('dev', {
      'max.connections': value(more.max),
      ...(more.perAddress !== undefined && { 'max.connections.per.ip': value(more.perAddress) }),
    }),
    clock,
  )
  const gone: string[] = []
  const open = (name: string, is: Pick<CountedConnection, 'silent' | 'idleSinceMs'>, address = '10.0.0.1'): CountedConnection => {
    const connection = { ...is, giveWay: (held: string, message: string) => void gone.push(`${name}, its ${held}: ${message}`) }
    counted.opened(connection, address)
    return connection
  }
  return { counted, clock, gone, open }
}

const busy = { silent: false, idleSinceMs: undefined }

test('H8: without room, the oldest connection that never sent a request gives way', () => {
  const { counted, clock, gone, open } = quotas({ max: 3 })
  open('idle', { silent: false, idleSinceMs: clock.monotonic() - 60_000 })
  open('silent', { silent: true, idleSinceMs: 0 })
  expect(counted.admit('10.0.0.2')).toEqual({ kind: 'admitted' })
  open('later silent', { silent: true, idleSinceMs: 0 })
  expect(counted.admit('10.0.0.2')).toEqual({ kind: 'admitted' })
  expect(gone).toEqual([
    'silent, its connection: it had never sent a request, and a new connection needed one of the 3 places (max.connections)',
  ])
})

test('H8: without a silent one, the connection that has been idle for the longest time gives way', () => {
  const { counted, clock, gone, open } = quotas({ max: 3 })
  open('busy', busy)
  open('idle', { silent: false, idleSinceMs: clock.monotonic() - fixedLimits.idleGivesWayMs })
  open('idlest', { silent: false, idleSinceMs: clock.monotonic() - fixedLimits.idleGivesWayMs - 1 })
  expect(counted.admit('10.0.0.2')).toEqual({ kind: 'admitted' })
  expect(gone.map((line) => line.split(',')[0])).toEqual(['idlest'])
})

test('H8: no busy connection gives way: the new one is rejected, and the reason names the setting', () => {
  const { counted, clock, gone, open } = quotas({ max: 2 })
  open('busy', busy)
  const idle = open('just idle', { silent: false, idleSinceMs: clock.monotonic() })
  expect(counted.admit('10.0.0.2')).toEqual({ kind: 'rejected', setting: 'max.connections', limit: 2 })
  expect(gone).toEqual([])
  counted.closed(idle)
  counted.closed(idle)
  expect(counted.admit('10.0.0.2')).toEqual({ kind: 'admitted' })
})

test('H8: an address has its own limit', () => {
  const { counted, open } = quotas({ max: 10, perAddress: 2 })
  open('a', busy)
  const b = open('b', busy)
  expect(counted.admit('10.0.0.1')).toEqual({ kind: 'rejected', setting: 'max.connections.per.ip', limit: 2 })
  expect(counted.admit('10.0.0.2')).toEqual({ kind: 'admitted' })
  counted.closed(b)
  expect(counted.admit('10.0.0.1')).toEqual({ kind: 'admitted' })
})
