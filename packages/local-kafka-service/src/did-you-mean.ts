// Suggests the known name that is nearest to an unknown one.

/** `; did you mean kafka.port?`, or an empty text. */
export function didYouMean(name: string, known: readonly string[]): string {
  let nearest: { readonly name: string; readonly distance: number } | undefined
  for (const candidate of known) {
    const distance = editDistance(name, candidate)
    if (nearest === undefined || distance < nearest.distance) nearest = { name: candidate, distance }
  }
  return nearest !== undefined && nearest.distance <= Math.max(2, name.length / 4) ? `; did you mean ${nearest.name}?` : ''
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const changed = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      line.push(Math.min(changed, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[b.length] ?? 0
}
