// A button that copies a text, and says so.
import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

export function CopyButton({ text, children }: { readonly text: string; readonly children: ComponentChildren }): JSX.Element {
  const [state, setState] = useState<'ready' | 'copied' | 'denied'>('ready')
  useEffect(() => {
    if (state === 'ready') return
    const timer = setTimeout(() => setState('ready'), 1500)
    return () => clearTimeout(timer)
  }, [state])
  const copy = async (): Promise<void> => {
    // Browsers have a clipboard only for pages from localhost or over HTTPS.
    if (navigator.clipboard === undefined) return setState('denied')
    await navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('denied'),
    )
  }
  return (
    <button type="button" class="small" title={text} onClick={() => void copy()}>
      <span aria-live="polite">{state === 'copied' ? 'Copied' : state === 'denied' ? 'Not allowed by the browser' : children}</span>
    </button>
  )
}

/** A command to type, with a button that copies it. */
export function Command({ text }: { readonly text: string }): JSX.Element {
  return (
    <div class="command">
      <code>{text}</code>
      <CopyButton text={text}>Copy</CopyButton>
    </div>
  )
}
