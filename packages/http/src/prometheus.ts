// The agent's metrics in the text format of Prometheus: prom-client writes the text from the agent's numbers at each scrape.
import type { Metric } from '@local-kafka-service/agent'

/** The library is loaded at the first scrape. */
export async function prometheusText(metrics: readonly Metric[]): Promise<{ readonly contentType: string; readonly text: string }> {
  const { Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  for (const { name, help, type, samples } of metrics) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))]
    const definition = { name, help, labelNames, registers: [registry] }
    if (type === 'counter') {
      const counter = new Counter(definition)
      for (const { labels, value } of samples) counter.inc(labels, value)
    } else {
      const gauge = new Gauge(definition)
      for (const { labels, value } of samples) gauge.set(labels, value)
    }
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}
