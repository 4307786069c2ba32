// Text of clients in a form that PostgreSQL's text can hold.

/** PostgreSQL's text holds every character except U+0000, and clients choose member ids, protocol types and metadata. */
export function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\0', '%00')
}

export function unescaped(text: string): string {
  return text.replaceAll('%00', '\0').replaceAll('%25', '%')
}
