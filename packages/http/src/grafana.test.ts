// The dashboard in deploy/grafana asks only for metrics and labels that a scrape has.
import { readFileSync } from 'node:fs'
import { Produce } from '@local-kafka-service/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentForTests, aBatch, anAgent } from '../../agent/src/api/testing/an-agent.ts'
import { type HttpServers, serveHttp } from './serve.ts'

interface Panel {
  readonly title: string
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

const dashboard = JSON.parse(readFileSync(new URL('../../../deploy/grafana/local-kafka-service.json', import.meta.url), 'utf8')) as {
  readonly panels: readonly Panel[]
}

let kafka: AgentForTests
let http: HttpServers
beforeAll(async () => {
  kafka = await anAgent()
  const port = { hosts: ['127.0.0.1'], port: 0, movable: false }
  http = await serveHttp(kafka.agent, { control: port, data: port, allowedHosts: [], version: '0.0.0-test' })
  await kafka.topic('t')
  const partitionData = [{ index: 0, records: aBatch(['one']) }]
  await kafka.call(Produce, 9, { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData }] })
})
afterAll(async () => {
  await http.stop()
  await kafka[Symbol.asyncDispose]()
})

/** Set by Prometheus at a scrape. */
const ofPrometheus = ['job', 'instance']
/** Labels of metrics that have no sample in this agent: nothing failed, no group is there, and its store is not measured. */
const withoutSamples: Readonly<Record<string, readonly string[]>> = {
  lks_store_requests_total: ['operation'],
  lks_store_failures_total: ['operation', 'kind'],
  lks_group_lag: ['group', 'topic'],
  lks_group_members: ['group'],
  lks_connections_gave_way_total: ['held'],
}

test('each metric of a panel exists, with the labels that the panel names', async () => {
  const text = await (await fetch(`${http.control.url}/metrics`)).text()
  const names = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name))
  // Only on S3 and PostgreSQL.
  for (const name of ['lks_store_dollars_per_hour', 'lks_postgres_longest_transaction_seconds']) names.add(name)
  const labelsOf = (metric: string): readonly string[] => {
    const line = new RegExp(`^${metric}\\{(.*)\\} `, 'm').exec(text)?.[1]
    return line === undefined ? (withoutSamples[metric] ?? []) : [...line.matchAll(/(\w+)="/g)].map(([, label = '']) => label)
  }
  const expressions = dashboard.panels.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })))
  expect(expressions.length).toBeGreaterThan(30)
  for (const { title, expr, legendFormat } of expressions) {
    const metrics = [...expr.matchAll(/\blks_\w+/g)].map(([name]) => name)
    expect(metrics.length, title).toBeGreaterThan(0)
    for (const metric of metrics) expect(names, title).toContain(metric)
    const labels = [
      ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */)),
      ...[...expr.matchAll(/(\w+)(?:=|!=|=~|!~)"/g)].map(([, label = '']) => label),
      ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
    ]
    const known = [...ofPrometheus, ...metrics.flatMap(labelsOf)]
    for (const label of labels) expect(known, `${title}: ${expr}`).toContain(label)
  }
})

test('no metric has a label that Prometheus sets itself', async () => {
  const text = await (await fetch(`${http.control.url}/metrics`)).text()
  for (const label of ofPrometheus) expect(text).not.toMatch(new RegExp(`[{,]${label}="`))
})
