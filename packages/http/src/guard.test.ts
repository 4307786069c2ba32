// Requests that a page of another site may have sent are rejected.
import { expect, test } from 'vitest'
import { foreign } from './guard.ts'

function rejection(
  headers: { readonly host?: string; readonly origin?: string },
  options: { readonly localAddress?: string; readonly allowedHosts?: readonly string[] } = {},
): string | undefined {
  const request = { headers, socket: { localAddress: options.localAddress ?? '127.0.0.1' } }
  // The guard reads these two members only.
  return foreign(request as unknown as Parameters<typeof foreign>[0], options.allowedHosts ?? [])?.row.error
}

test.each([
  'localhost',
  'localhost:8000',
  'LOCALHOST:1',
  'localhost.',
  '127.0.0.1:8123',
  '[::1]:8000',
  '[::1]',
  '[0:0:0:0:0:0:0:1]:80',
  '127.1',
])('the Host %s is this machine', (host) => {
  expect(rejection({ host })).toBeUndefined()
})

test.each([
  'evil.example',
  'evil.example:8000',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '10.0.0.5',
  '[::2]',
  'localhost@evil.example',
  'localhost/x',
  '',
  'a b',
  '127.0.0.2',
])('the Host %s is rejected: it may be a name that was rebound to this address', (host) => {
  expect(rejection({ host })).toBe('ForeignHostException')
})

test('the address that the client connected to is a valid Host, in both address families', () => {
  expect(rejection({ host: '10.0.0.5:8000' }, { localAddress: '10.0.0.5' })).toBeUndefined()
  expect(rejection({ host: '10.0.0.5:8000' }, { localAddress: '::ffff:10.0.0.5' })).toBeUndefined()
  expect(rejection({ host: '[fd00::7]:8000' }, { localAddress: 'fd00::7' })).toBeUndefined()
  expect(rejection({ host: '10.0.0.6:8000' }, { localAddress: '10.0.0.5' })).toBe('ForeignHostException')
})

test('an allowed host is a valid Host and Origin, with any port, in any case', () => {
  const allowedHosts = ['host.docker.internal', 'fd00::1']
  expect(rejection({ host: 'Host.Docker.Internal:8000', origin: 'http://host.docker.internal:3000' }, { allowedHosts })).toBeUndefined()
  expect(rejection({ host: '[fd00::1]:1' }, { allowedHosts })).toBeUndefined()
  expect(rejection({ host: 'x.host.docker.internal' }, { allowedHosts })).toBe('ForeignHostException')
})

test.each(['http://localhost:3000', 'http://127.0.0.1', 'https://[::1]:8000'])('a page at %s is local', (origin) => {
  expect(rejection({ host: 'localhost', origin })).toBeUndefined()
})

test.each([
  'https://evil.example',
  'null',
  'http://localhost.evil.example',
  'file://',
  'chrome-extension://abc',
  'http://localhost@evil.example',
  '',
])('a page at %s is rejected', (origin) => {
  expect(rejection({ host: 'localhost', origin })).toBe('ForeignOriginException')
})

test('HTTP/1.0 without a Host is allowed: no browser sends it', () => {
  expect(rejection({})).toBeUndefined()
})
