// The agent's metrics in the text format of Prometheus (version 0.0.4), written in turns: a cluster of many topics and groups has thousands of samples.
import type { Metric } from '@local-kafka-service/agent'
import type { ServedAgent } from './served-agent.ts'

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8'

/** The text of one scrape. The metrics must stay as they are until it settles. */
export async function prometheusText(metrics: readonly Metric[], turns: ServedAgent['shared']['turns']): Promise<string> {
  const slice = turns.slice()
  let text = ''
  for (const { name, help, type, samples } of metrics) {
    text += `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`
    for (const { labels, value } of samples) {
      text += `${name}${labelText(labels)} ${valueText(value)}\n`
      if (slice.spent(1)) await slice.next()
    }
  }
  return text
}

function labelText(labels: Metric['samples'][number]['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

/** Prometheus reads numbers as Go writes them. */
function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
