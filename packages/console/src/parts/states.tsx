// What a page shows instead of its contents: that it loads, that there is nothing, or what went wrong.
import type { ComponentChildren, JSX } from 'preact'
import { AwayError, ProblemError } from '../api/client.ts'
import type { Polled } from './use-polled.ts'

export function Loading({ what }: { readonly what: string }): JSX.Element {
  return (
    <div class="state" role="status">
      <span class="spinner" aria-hidden="true" />
      <p>Loading {what}…</p>
    </div>
  )
}

/** `isPage`: there is nothing else on the page. */
export function Empty({
  title,
  isPage,
  children,
}: {
  readonly title: string
  readonly isPage?: true
  readonly children?: ComponentChildren
}): JSX.Element {
  return (
    <div class="state">
      {isPage === true ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
    </div>
  )
}

/** An error with its hint. The banner of the page says that the server is away, so that is short here. */
export function Failure({ error }: { readonly error: unknown }): JSX.Element {
  if (error instanceof AwayError) return <p class="failure">{error.message} This page tries again by itself.</p>
  if (!(error instanceof ProblemError)) return <p class="failure">The console failed: {String(error)}</p>
  const { message, hint, docs, error: name } = error.problem
  return (
    <div class="failure" role="alert">
      <p>
        <strong>{message}</strong>
      </p>
      {hint !== undefined && <p>{hint}</p>}
      <p>
        <a href={docs}>{name}</a>
      </p>
    </div>
  )
}

/** The contents of an answer, or the state in its place. An error beside an older answer is shown above it. */
export function Shown<Answer>({
  polled,
  what,
  children,
}: {
  readonly polled: Polled<Answer>
  readonly what: string
  readonly children: (answer: Answer) => ComponentChildren
}): JSX.Element {
  const { answer, error } = polled
  if (answer === undefined) return error === undefined ? <Loading what={what} /> : <Failure error={error} />
  return (
    <>
      {error !== undefined && !(error instanceof AwayError) && <Failure error={error} />}
      {children(answer)}
    </>
  )
}
