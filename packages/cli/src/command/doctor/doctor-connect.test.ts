// The fixes for an advertised address that does not work.
import { expect, test } from 'vitest'
import { type Diagnosis, problemOf, type Wrong } from '../../cluster/diagnosis.ts'
import { advertised } from './doctor-connect.ts'

function aDiagnosis(server: string, finding: Wrong): Diagnosis {
  return { server, finding, problem: problemOf(server, finding) }
}

const only = { where: 'broker 1', proven: 'localhost:41092', alone: true }

test('N2: the fix proposes the address that was proved to work, with its port', () => {
  const refused = advertised(aDiagnosis('localhost:41093', { kind: 'refused' }), only)
  expect(refused.fix[0]).toContain('lks dev --advertised localhost:41092')
  expect(refused.fix.join()).not.toContain('DNS')
  expect(refused.fix[1]).toContain('only the port rejects connections')
})

test('N2: an unresolvable name is distinguished from a closed port', () => {
  const unknown = advertised(aDiagnosis('kafka.invalid:9092', { kind: 'unresolvable', code: 'ENOTFOUND' }), only)
  expect(unknown.fix[0]).toContain('lks dev --advertised localhost:41092')
  expect(unknown.fix[1]).toContain('make kafka.invalid known to clients, in DNS or /etc/hosts')
})

test('N2: with several brokers, the address that answered belongs to one and is not proposed for another', () => {
  const { fix } = advertised(aDiagnosis('localhost:41093', { kind: 'refused' }), { ...only, alone: false })
  expect(fix.join()).not.toContain('41092')
})
