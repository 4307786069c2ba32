// Regular expressions of clients, over names: a pattern is matched in time that grows with pattern × name (Thompson's NFA), so no pattern can stop the server, as with Kafka's RE2/J.

/** The text is not a pattern, or has what this matcher does not know. */
export class PatternError extends Error {}

/** `.`, classes, `\d \w \s` and their negations, escapes, groups, `|`, `* + ?`, `{n}`, `{n,}`, `{n,m}`, `^` and `$`. The whole name must match. Throws a PatternError. */
export function namePattern(pattern: string): (name: string) => boolean {
  const program = compile(new PatternParser(pattern).parse())
  return (name) => matches(program, name)
}

type Test = (character: string) => boolean

type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'one'; readonly test: Test }
  /** `start`: `^`. */
  | { readonly kind: 'edge'; readonly start: boolean }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Node[] }
  | { readonly kind: 'repeat'; readonly of: Node; readonly min: number; readonly max: number }

/** The longest pattern, and the most steps that its repetitions may become. */
const mostCharacters = 1_000
const mostSteps = 10_000
/** RE2's. */
const mostRepeats = 1_000

class PatternParser {
  readonly #text: readonly string[]
  #at = 0

  constructor(pattern: string) {
    this.#text = Array.from(pattern)
    if (this.#text.length > mostCharacters) throw new PatternError(`the pattern has more than ${mostCharacters} characters`)
  }

  parse(): Node {
    const node = this.#alternatives()
    if (this.#at < this.#text.length) throw new PatternError('unexpected )')
    return node
  }

  #peek(): string | undefined {
    return this.#text[this.#at]
  }

  #take(): string | undefined {
    const character = this.#text[this.#at]
    this.#at += 1
    return character
  }

  #alternatives(): Node {
    const any = [this.#sequence()]
    while (this.#peek() === '|') {
      this.#at += 1
      any.push(this.#sequence())
    }
    return { kind: 'any', of: any }
  }

  #sequence(): Node {
    const all: Node[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) all.push(this.#repeated())
    return { kind: 'all', of: all }
  }

  #repeated(): Node {
    let node = this.#atom()
    for (let bounds = this.#bounds(); bounds !== undefined; bounds = this.#bounds()) {
      node = { kind: 'repeat', of: node, ...bounds }
      // A lazy repetition matches the same names.
      if (this.#peek() === '?') this.#at += 1
    }
    return node
  }

  #bounds(): { readonly min: number; readonly max: number } | undefined {
    const rest = this.#text.slice(this.#at).join('')
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(rest)
    if (found === null) return undefined
    const [text, simple, low, comma, high] = found
    this.#at += text.length
    if (simple !== undefined) return { min: simple === '+' ? 1 : 0, max: simple === '?' ? 1 : Number.POSITIVE_INFINITY }
    const min = Number(low)
    const max = comma === '' ? min : high === '' ? Number.POSITIVE_INFINITY : Number(high)
    if (min > mostRepeats || (max > mostRepeats && max !== Number.POSITIVE_INFINITY) || max < min)
      throw new PatternError(`invalid repeat count ${text}`)
    return { min, max }
  }

  #atom(): Node {
    const next = this.#take()
    switch (next) {
      case '(':
        return this.#group()
      case '[':
        return { kind: 'one', test: this.#class() }
      case '.':
        return { kind: 'one', test: (character) => character !== '\n' }
      case '^':
      case '$':
        return { kind: 'edge', start: next === '^' }
      case '\\':
        return { kind: 'one', test: escapedTest(this.#take()) }
      case '*':
      case '+':
      case '?':
        throw new PatternError(`missing argument to repetition operator ${next}`)
      default:
        return { kind: 'one', test: (character) => character === next }
    }
  }

  #group(): Node {
    if (this.#peek() === '?') {
      this.#at += 1
      if (this.#take() !== ':') throw new PatternError('invalid or unsupported Perl syntax')
    }
    const node = this.#alternatives()
    if (this.#take() !== ')') throw new PatternError('missing closing )')
    return node
  }

  #class(): Test {
    const isNegated = this.#peek() === '^'
    if (isNegated) this.#at += 1
    const tests: Test[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const from = this.#take()
      if (from === undefined) throw new PatternError('missing closing ]')
      const one = from === '\\' ? this.#take() : from
      if (from === '\\' && one !== undefined && one in classes) {
        tests.push(escapedTest(one))
        continue
      }
      if (one === undefined) throw new PatternError('missing closing ]')
      if (this.#peek() !== '-' || this.#text[this.#at + 1] === ']') {
        tests.push(from === '\\' ? escapedTest(one) : (character) => character === one)
        continue
      }
      this.#at += 1
      const until = this.#take() === '\\' ? this.#take() : this.#text[this.#at - 1]
      if (until === undefined) throw new PatternError('missing closing ]')
      if (until < one) throw new PatternError(`invalid character class range ${one}-${until}`)
      tests.push((character) => character >= one && character <= until)
    }
    this.#at += 1
    return (character) => tests.some((test) => test(character)) !== isNegated
  }
}

const classes: Readonly<Record<string, RegExp>> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /[\t\n\f\r ]/, S: /[^\t\n\f\r ]/ }
const controls: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function escapedTest(escape: string | undefined): Test {
  if (escape === undefined) throw new PatternError('trailing backslash at end of expression')
  const known = classes[escape]
  if (known !== undefined) return (character) => known.test(character)
  if (/[A-Za-z0-9]/.test(escape) && controls[escape] === undefined) throw new PatternError(`invalid escape sequence \\${escape}`)
  const literal = controls[escape] ?? escape
  return (character) => character === literal
}

type Instruction =
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'edge'; readonly start: boolean }
  /** Goes on at both, or at one. */
  | { readonly kind: 'go'; to: readonly number[] }

/** The match is one past the last instruction. */
function compile(node: Node): readonly Instruction[] {
  const program: Instruction[] = []
  const add = (instruction: Instruction): void => {
    program.push(instruction)
    if (program.length > mostSteps) throw new PatternError('the repetitions of the pattern are too large')
  }
  const emit = (one: Node): void => {
    switch (one.kind) {
      case 'empty':
        return
      case 'one':
      case 'edge':
        return add(one)
      case 'all':
        for (const each of one.of) emit(each)
        return
      case 'any': {
        const ends: Extract<Instruction, { kind: 'go' }>[] = []
        for (const [at, each] of one.of.entries()) {
          if (at === one.of.length - 1) {
            emit(each)
            break
          }
          const split: Extract<Instruction, { kind: 'go' }> = { kind: 'go', to: [] }
          add(split)
          const first = program.length
          emit(each)
          const end: Extract<Instruction, { kind: 'go' }> = { kind: 'go', to: [] }
          add(end)
          ends.push(end)
          split.to = [first, program.length]
        }
        for (const end of ends) end.to = [program.length]
        return
      }
      case 'repeat': {
        for (let at = 0; at < one.min; at += 1) emit(one.of)
        if (one.max === Number.POSITIVE_INFINITY) {
          const split: Extract<Instruction, { kind: 'go' }> = { kind: 'go', to: [] }
          const at = program.length
          add(split)
          emit(one.of)
          add({ kind: 'go', to: [at] })
          split.to = [at + 1, program.length]
          return
        }
        const splits: { readonly split: Extract<Instruction, { kind: 'go' }>; readonly at: number }[] = []
        for (let at = one.min; at < one.max; at += 1) {
          const split: Extract<Instruction, { kind: 'go' }> = { kind: 'go', to: [] }
          splits.push({ split, at: program.length })
          add(split)
          emit(one.of)
        }
        for (const { split, at } of splits) split.to = [at + 1, program.length]
      }
    }
  }
  emit(node)
  return program
}

function matches(program: readonly Instruction[], name: string): boolean {
  const characters = Array.from(name)
  let states = new Set<number>()
  const reach = (into: Set<number>, first: number, position: number): void => {
    const waiting = [first]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      if (into.has(at)) continue
      into.add(at)
      const instruction = program[at]
      if (instruction?.kind === 'go') waiting.push(...instruction.to)
      if (instruction?.kind === 'edge' && position === (instruction.start ? 0 : characters.length)) waiting.push(at + 1)
    }
  }
  reach(states, 0, 0)
  for (const [position, character] of characters.entries()) {
    const next = new Set<number>()
    for (const at of states) {
      const instruction = program[at]
      if (instruction?.kind === 'one' && instruction.test(character)) reach(next, at + 1, position + 1)
    }
    states = next
    if (states.size === 0) return false
  }
  return states.has(program.length)
}
