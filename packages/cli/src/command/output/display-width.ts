// The width of a text in terminal columns.

let segmenter: Intl.Segmenter | undefined
/** East Asian wide and fullwidth characters (Unicode UAX 11), and emoji. */
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1faff}]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u
const invisible = /^[\p{Mark}\p{Format}]/u

export function displayWidth(text: string): number {
  // Most text is plain ASCII.
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemesIn(text)) width += invisible.test(segment) ? 0 : wide.test(segment) ? 2 : 1
  return width
}

/** Made on first use, which costs tens of milliseconds: most texts are plain ASCII. */
function graphemesIn(text: string): Iterable<{ readonly segment: string }> {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' })
  return segmenter.segment(text)
}

/** Pieces of at most the given width, cut between characters; at least one piece. */
export function cutToWidth(text: string, columns: number): readonly string[] {
  if (displayWidth(text) <= columns) return [text]
  const pieces: string[] = []
  let piece = ''
  for (const { segment } of graphemesIn(text)) {
    if (piece !== '' && displayWidth(piece + segment) > columns) {
      pieces.push(piece)
      piece = ''
    }
    piece += segment
  }
  return [...pieces, piece]
}
