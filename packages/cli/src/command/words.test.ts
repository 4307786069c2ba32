// Texts that several screens share, and the parts of command lines that several commands share.
import { startKafka } from 'local-kafka-service'
import { counted } from 'local-kafka-service/internal/counted'
import { wantedTopics } from 'local-kafka-service/internal/wanted-topics'
import { expect, test } from 'vitest'
import { changesOf } from './config/config-changes.ts'
import { configPairs } from './config-pairs.ts'
import { listeningInodes, ofLsof, ofNetstat } from './doctor/port-owner.ts'
import { durationOption, givenDuration } from './duration-option.ts'
import { environmentOf } from './exec.ts'
import { ranges } from './words.ts'

test('counts and ranges', () => {
  expect(counted(1, 'topic')).toBe('1 topic')
  expect(counted(0, 'topic')).toBe('0 topics')
  expect(ranges([5, 0, 1, 2, 9, 8])).toBe('0-2,5,8,9')
  expect(ranges([])).toBe('')
})

test('durations', () => {
  const { check } = durationOption({ name: 'timeout', default: '30s', doc: 'How long.' })
  for (const text of ['500ms', '2s', '1.5m', '1h30m', '24d']) expect(check?.(text)).toBeUndefined()
  expect(['500ms', '1.5m', '24d'].map(givenDuration)).toEqual([500, 90_000, 2_073_600_000])
  for (const text of ['', '30', '0s', '-1s', 'soon']) expect(check?.(text)).toMatch(/duration/)
  for (const text of ['25d', '999999999d']) expect(check?.(text)).toMatch(/24 days/)
})

test('configs are key=value, each key once', () => {
  expect(configPairs(['a=1', 'b=x=y', 'c='], '--config')).toEqual([
    { name: 'a', value: '1' },
    { name: 'b', value: 'x=y' },
    { name: 'c', value: '' },
  ])
  for (const wrong of [['a'], ['=1'], ['a=1', 'a=2']]) expect(() => configPairs(wrong, '--config')).toThrow(/--config/)
  expect(() => changesOf([], [], '--config')).toThrow(/no config/)
  expect(() => changesOf(['a=1'], ['a'], '--config')).toThrow(/twice/)
  expect(changesOf([], ['a'], '--config')).toEqual([{ name: 'a', value: undefined }])
})

test('topics of dev and exec', () => {
  expect(wantedTopics('orders:3, audit,')).toEqual([
    { name: 'orders', partitionCount: 3 },
    { name: 'audit', partitionCount: 1 },
  ])
  for (const wrong of ['orders:0', 'orders:x', ':3', 'a b']) expect(typeof wantedTopics(wrong)).toBe('string')
})

test('the child of lks exec finds the server under every variable that our clients and others read', async () => {
  await using kafka = await startKafka({ http: true })
  expect(environmentOf(kafka)).toEqual({
    KAFKA_BROKERS: kafka.bootstrapServers,
    KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
    LKS_BOOTSTRAP_SERVERS: kafka.bootstrapServers,
    LKS_URL: kafka.urls?.control,
    LKS_DATA_URL: kafka.urls?.data,
  })
})

test('the owner of a port, from the output of each platform', () => {
  const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2384 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:2384 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0`
  expect(listeningInodes(table, 9092)).toEqual(['4711'])
  expect(listeningInodes(table, 9093)).toEqual([])
  expect(ofLsof('p4121\ncnode\nf20\n')).toEqual({ pid: 4121, program: 'node' })
  expect(ofLsof('')).toBeUndefined()
  const netstat =
    '  Proto  Local Address          Foreign Address        State           PID\n  TCP    0.0.0.0:9092           0.0.0.0:0              LISTENING       812\n'
  expect(ofNetstat(netstat, 9092)).toEqual({ pid: 812, program: undefined })
  expect(ofNetstat(netstat, 8000)).toBeUndefined()
})
