// A table that scrolls sideways where the window is narrow. The keyboard reaches it, and a screen reader names it.
import type { ComponentChildren, JSX } from 'preact'

export function Scroll({
  label,
  short,
  children,
}: {
  readonly label: string
  readonly short?: true
  readonly children: ComponentChildren
}): JSX.Element {
  return (
    <section class={short === true ? 'scroll short' : 'scroll'} tabIndex={0} aria-label={label}>
      {children}
    </section>
  )
}
