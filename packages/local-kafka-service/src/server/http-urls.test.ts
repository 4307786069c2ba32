// The URLs that an agent publishes.
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { httpUrls } from './http-urls.ts'

const at = (host: string) => ({ control: { addresses: [{ host, port: 8000 }] }, data: { addresses: [{ host, port: 8123 }] } })

test.each([
  [{ host: 'kafka.internal', port: 9092 }, '0.0.0.0', 'kafka.internal'],
  [{ host: 'fd00::7', port: 9092 }, '0.0.0.0', '[fd00::7]'],
  [undefined, '127.0.0.1', '127.0.0.1'],
  [undefined, '::1', '[::1]'],
  [undefined, '0.0.0.0', hostname()],
  [undefined, '::', hostname()],
])('advertised %j, listening on %s: %s', (advertised, host, expected) => {
  expect(httpUrls({ advertised }, at(host))).toEqual({ controlUrl: `http://${expected}:8000`, dataUrl: `http://${expected}:8123` })
})

test('a plane that does not listen has no URL', () => {
  expect(httpUrls({ advertised: undefined }, { ...at('::1'), data: { addresses: [] } })).toMatchObject({ dataUrl: null })
})
