// The numbers of /metrics, from the text format of Prometheus.

/** Name → the samples with their labels. */
export type Metrics = ReadonlyMap<string, readonly Sample[]>

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function metricsOf(text: string): Metrics {
  const metrics = new Map<string, Sample[]>()
  for (const line of text.split('\n')) {
    const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? []
    if (name === undefined || value === undefined) continue
    const samples = metrics.get(name) ?? []
    samples.push({ labels: labelsOf(labels), value: Number(value) })
    metrics.set(name, samples)
  }
  return metrics
}

/** The sum of all samples, or of those with the labels; 0 if there are none yet. */
export function sum(metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels)
  const samples = metrics.get(name) ?? []
  return samples.reduce((total, one) => (wanted.every(([key, value]) => one.labels[key] === value) ? total + one.value : total), 0)
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]))
}
