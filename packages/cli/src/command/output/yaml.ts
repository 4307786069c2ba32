// Plain values as YAML in block style, for everything that JSON can express. Text that YAML could read as another type is quoted.

/** Ends with a line feed. */
export function yaml(value: unknown): string {
  return `${block(value, 0).replace(/^\n/, '')}\n`
}

function block(value: unknown, depth: number): string {
  if (Array.isArray(value)) return value.length === 0 ? '[]' : value.map((one) => `\n${indent(depth)}- ${item(one, depth)}`).join('')
  if (typeof value === 'object' && value !== null) {
    const entries = entriesOf(value)
    return entries.length === 0 ? '{}' : entries.map(([key, one]) => `\n${indent(depth)}${pair(key, one, depth)}`).join('')
  }
  return scalar(value)
}

/** After a dash the first key is on the same line. */
function item(value: unknown, depth: number): string {
  return block(value, depth + 1).trimStart()
}

function pair(key: string, value: unknown, depth: number): string {
  const text = block(value, depth + 1)
  return text.startsWith('\n') ? `${scalar(key)}:${text}` : `${scalar(key)}: ${text}`
}

function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  return Object.entries(value).filter(([, one]) => one !== undefined)
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value ?? null)
  const plain = /^[A-Za-z_/][\w./-]*(?: [\w./-]+)*$/.test(value) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(value)
  return plain ? value : JSON.stringify(value)
}

function indent(depth: number): string {
  return '  '.repeat(depth)
}
