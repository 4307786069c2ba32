// A client in a process of its own, which prints lines of JSON until its input ends.
import { startProgram } from '../../../packages/sim/src/program.ts'

export interface JsonProgram<Line> extends AsyncDisposable {
  /** So far. */
  readonly lines: readonly Line[]
  /** Waits until it has printed so many lines. Rejects when it ends before. */
  printed(count: number): Promise<void>
  /** Ends its input and waits for its end. Rejects when it failed. */
  finish(): Promise<void>
  /** Like `kill -9`. What it printed before is read. */
  kill(): Promise<void>
}

export function startJsonProgram<Line>(
  program: string,
  args: readonly string[],
  onLine: (line: Line) => void = () => {},
): JsonProgram<Line> {
  const lines: Line[] = []
  const running = startProgram(program, args, {
    onLine(text) {
      // The cast: the caller knows what the program prints.
      const line = JSON.parse(text) as Line
      lines.push(line)
      onLine(line)
    },
  })
  const kill = async (): Promise<void> => void (await running.kill())
  return {
    lines,
    printed: (count) => running.until(() => lines.length >= count),
    async finish() {
      running.endInput()
      await running.succeeded()
    },
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
