// Circles of files: no file of this repository reaches itself through its imports, types included.
import type { Check, Tree } from './check.ts'
import { fileGraph } from './graph.ts'

export const circles: Check = { name: 'circles of files', run: circleProblems }

/** Exported for its test. */
export function circleProblems(tree: Tree): readonly string[] {
  return circlesIn(fileGraph(tree)).map((circle) => `these files import one another: ${circle.join(', ')}`)
}

/** Groups of files in which each reaches each (Tarjan's strongly connected components), sorted. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const order = new Map<string, number>()
  const stack: string[] = []
  const onStack = new Set<string>()
  const groups: (readonly string[])[] = []
  const visit = (file: string): number => {
    const number = order.size
    let low = number
    order.set(file, number)
    stack.push(file)
    onStack.add(file)
    for (const to of graph.get(file) ?? []) {
      if (!order.has(to)) low = Math.min(low, visit(to))
      else if (onStack.has(to)) low = Math.min(low, order.get(to) ?? low)
    }
    if (low === number) {
      const group = stack.splice(stack.indexOf(file))
      for (const member of group) onStack.delete(member)
      if (group.length > 1) groups.push(group.toSorted())
    }
    return low
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return groups.toSorted(([a = ''], [b = '']) => a.localeCompare(b))
}
