// The parts of a server's memory, out of its metrics (the text format of Prometheus).

export interface MemoryPart {
  readonly part: string
  readonly usedBytes: number
  readonly limitBytes: number
}

/** In the order of the metrics. A part without a limit is left out. */
export function memoryParts(metrics: string): readonly MemoryPart[] {
  const used = byPart(metrics, 'lks_memory_bytes')
  const limits = byPart(metrics, 'lks_memory_limit_bytes')
  return [...used].flatMap(([part, usedBytes]) => {
    const limitBytes = limits.get(part)
    return limitBytes === undefined ? [] : [{ part, usedBytes, limitBytes }]
  })
}

function byPart(metrics: string, name: string): ReadonlyMap<string, number> {
  const samples = metrics.matchAll(new RegExp(`^${name}\\{part="([^"]*)"\\} (\\S+)$`, 'gm'))
  return new Map(Array.from(samples, ([, part = '', value = '']) => [part, Number(value)]))
}
