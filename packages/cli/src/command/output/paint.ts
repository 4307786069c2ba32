// Colours on a terminal: for errors, lags and the keys of tables.
import { styleText } from 'node:util'

export type Style = 'key' | 'wrong' | 'lag'
/** The text in a colour when colours are on. Its display width does not change. */
export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_style, text) => text

export function paintOf({ colours }: { readonly colours: boolean }): Paint {
  // Node would check standard output, whichever stream is meant.
  return colours ? (style, text) => styleText(formats[style], text, { validateStream: false }) : plain
}

/** NO_COLOR is specified at no-color.org. */
export function hasColours(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}

const formats = { key: 'cyan', wrong: 'red', lag: 'yellow' } as const
