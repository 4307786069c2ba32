// Colours, for people at a terminal: what is wrong, what lags, and the keys of tables.
import { styleText } from 'node:util'

export type Style = 'key' | 'wrong' | 'lag'
/** The text, in a colour where there are colours. Its width on the screen stays. */
export type Paint = (style: Style, text: string) => string

export const plain: Paint = (_style, text) => text

export function paintOf({ colours }: { readonly colours: boolean }): Paint {
  // Node would look at standard output, whatever stream it is for.
  return colours ? (style, text) => styleText(formats[style], text, { validateStream: false }) : plain
}

/** NO_COLOR: no-color.org. */
export function hasColours(stream: { readonly isTTY?: boolean }, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}

const formats = { key: 'cyan', wrong: 'red', lag: 'yellow' } as const
