// The configs of client metrics (KIP-714): subscriptions are stored and listed, and no client is asked for metrics, as with a Kafka broker without a receiver of metrics.
import type { ConfigTable } from './config-changes.ts'
import type { ConfigDef, ConfigEffect, WrongValue } from './config-def.ts'
import { listItems } from './value-checks.ts'

const effect: ConfigEffect = {
  kind: 'by construction',
  why: 'A subscription only takes effect on a broker with a receiver of metrics. This server has none and does not offer telemetry to clients.',
}

export const clientMetricsConfigs: readonly ConfigDef[] = [
  {
    name: 'interval.ms',
    type: 'int',
    default: '300000',
    unit: 'ms',
    doc: 'How often clients send their metrics.',
    since: '0.1',
    effect,
    check: interval,
  },
  {
    name: 'match',
    type: 'list',
    default: '',
    doc: 'Which clients the subscription is for: client_id=…, client_software_name=… and others, each with a regular expression.',
    since: '0.1',
    effect,
    check: matching,
  },
  { name: 'metrics', type: 'list', default: '', doc: 'The prefixes of the names of the metrics.', since: '0.1', effect },
]

export const clientMetricsConfigTable: ConfigTable = {
  defs: clientMetricsConfigs,
  appendable: false,
  unknown: ([name]) => ({ error: 'INVALID_REQUEST', message: `Unknown client metrics configuration: ${name}` }),
}

function interval(value: string): WrongValue | undefined {
  if (Number(value) >= 100 && Number(value) <= 3_600_000) return undefined
  const whole = `Invalid value ${value} for interval.ms, interval must be between 100 and 3600000 (1 hour)`
  return { whole, error: 'INVALID_REQUEST' }
}

/** What clients can be matched by. */
const selectors = [
  'client_instance_id',
  'client_id',
  'client_software_name',
  'client_software_version',
  'client_source_address',
  'client_source_port',
]

function matching(value: string): WrongValue | undefined {
  const wrong = listItems(value).find((item) => !/^[^=]+=[^=]+$/.test(item) || !selectors.includes(item.slice(0, item.indexOf('=')).trim()))
  return wrong === undefined ? undefined : { whole: `Illegal client matching pattern: ${wrong}` }
}
