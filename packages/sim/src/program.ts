// A program in a separate process, for the simulator, the end-to-end tests and the benchmarks: its input, its output and its end.
import { type ChildProcess, spawn } from 'node:child_process'

export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface ProgramOptions {
  readonly cwd?: string | undefined
  /** Its whole environment; by default that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Is called with each complete line of its standard output. */
  readonly onLine?: (line: string) => void
  /** A file descriptor that receives its standard output. `stdout` and `lines` stay empty then. */
  readonly stdout?: number
  /** Starts a process group, which `kill` ends as a whole. For scripts that start further processes. */
  readonly group?: boolean
  /** After this time it is killed. 0: it may take any time. */
  readonly limitMs?: number
}

/** Starts the program. Its standard input stays open until `endInput`. */
export function startProgram(program: string, args: readonly string[], options: ProgramOptions = {}): Program {
  return new Program(program, args, options)
}

/** Runs the program to its end, which is its success. Rejects with its output if it fails, and if it takes longer than the limit, 100 seconds by default. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { input = '', limitMs = 100_000, ...options }: ProgramOptions & { readonly input?: string | Uint8Array } = {},
): Promise<ProgramEnd> {
  const running = startProgram(program, args, { ...options, limitMs })
  running.endInput(input)
  return await running.succeeded()
}

/** For the program itself: ends it when the system has all of its output. `process.exit` drops what a busy reader has not taken yet. */
export async function endProgram(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) await new Promise<void>((resolve) => stream.write('', () => resolve()))
  return process.exit(code)
}

export class Program implements AsyncDisposable {
  /** Settles once all output is read. Rejects only if the program cannot be started. */
  readonly ended: Promise<ProgramEnd>
  /** The complete lines of its standard output so far. */
  readonly lines: string[] = []
  readonly #command: string
  readonly #child: ChildProcess
  readonly #group: boolean
  readonly #bytes: Buffer[] = []
  #stderr = ''
  #unfinishedLine = ''
  #over = false
  #changed = Promise.withResolvers<void>()

  /** For `startProgram`. */
  constructor(program: string, args: readonly string[], { cwd, env, onLine, stdout, group = false, limitMs = 0 }: ProgramOptions) {
    this.#command = [program, ...args].join(' ')
    this.#group = group
    this.#child = spawn(program, args, {
      stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
      detached: group,
      timeout: limitMs,
      killSignal: 'SIGKILL',
      ...(cwd !== undefined && { cwd }),
      ...(env !== undefined && { env }),
    })
    this.#child.stdin?.on('error', () => {}) // A program that ends early does not read its input; its exit code says why.
    const decoder = new TextDecoder()
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#bytes.push(bytes)
      const pieces = (this.#unfinishedLine + decoder.decode(bytes, { stream: true })).split('\n')
      this.#unfinishedLine = pieces.pop() ?? ''
      this.lines.push(...pieces)
      if (onLine !== undefined) for (const line of pieces) onLine(line)
      this.#wake()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#wake()
    })
    this.ended = new Promise<ProgramEnd>((resolve, reject) => {
      this.#child.once('error', (cause) => reject(new Error(`${this.#command} cannot be started`, { cause })))
      this.#child.once('close', (code, signal) => resolve({ code, signal, stdout: this.stdout(), stderr: this.#stderr }))
    })
    const settled = (): void => {
      this.#over = true
      this.#wake()
    }
    this.ended.then(settled, settled)
  }

  /** -1 if it cannot be started. */
  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** Its standard output so far. */
  stdout(): string {
    return this.stdoutBytes().toString()
  }

  stdoutBytes(): Buffer {
    return Buffer.concat(this.#bytes)
  }

  /** Its standard error so far. */
  stderr(): string {
    return this.#stderr
  }

  /** Waits until the condition holds, and looks after each output. Rejects with the output if the program ends before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#over) throw ended(`${this.#command} ended too early`, await this.ended)
      await this.#changed.promise
    }
  }

  /** Waits for the first line of its standard output. */
  async firstLine(): Promise<string> {
    await this.until(() => this.lines.length > 0)
    return this.lines[0] ?? ''
  }

  /** Waits for its end. Rejects with its output unless it ends with the exit code 0. */
  async succeeded(): Promise<ProgramEnd> {
    const end = await this.ended
    if (end.code !== 0) throw ended(`${this.#command} failed`, end)
    return end
  }

  write(input: string): void {
    this.#child.stdin?.write(input)
  }

  /** Writes the input, and ends it. */
  endInput(input: string | Uint8Array = ''): void {
    this.#child.stdin?.end(input)
  }

  /** Closes its standard output, as the end of the next program in a pipe does. */
  async closeStdout(): Promise<void> {
    const { stdout } = this.#child
    if (stdout === null) return
    await new Promise((resolve) => stdout.once('close', resolve).destroy())
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child
    if (this.#over || pid === undefined) return
    if (this.#group) signalGroup(pid, signal)
    else this.#child.kill(signal)
  }

  /** Sends the signal, SIGKILL by default, and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<ProgramEnd> {
    this.signal(signal)
    return await this.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}

function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal)
  } catch (error) {
    // The whole group has ended, and only its last output is not read yet.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Only the end of a long output, which is where programs say what is wrong. */
const outputInErrorChars = 20_000

function ended(what: string, { code, signal, stdout, stderr }: ProgramEnd): Error {
  return new Error(
    `${what} (${code ?? signal})\nstdout: ${stdout.slice(-outputInErrorChars)}\nstderr: ${stderr.slice(-outputInErrorChars)}`,
  )
}
