// Calls operations of the HTTP API by their ids, and turns every failure into one of two errors.
import { type Operations, type Problem, routes } from './operations.ts'

export type OperationId = keyof Operations

/** What an operation takes: only the parts that it has. */
type Asked<Id extends OperationId> = {
  readonly [Part in 'params' | 'query' | 'body']?: Operations[Id][Part]
} & { readonly signal?: AbortSignal; readonly headers?: Readonly<Record<string, string>> }

/** The server answered with an error. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.message)
    this.problem = problem
  }
}

/** No answer came: the server is stopped, or the network is. */
export class AwayError extends Error {
  override readonly name = 'AwayError'
}

/** Rejects with a ProblemError, an AwayError, or the reason of the signal. */
export async function call<Id extends OperationId>(id: Id, asked: Asked<Id> = {}): Promise<Operations[Id]['answer']> {
  const { method } = routes[id]
  const body = asked.body === undefined ? undefined : typeof asked.body === 'string' ? asked.body : JSON.stringify(asked.body)
  const send = (): Promise<Response> =>
    fetchOrAway(urlOf(id, asked), {
      method,
      headers: { accept: 'application/json, text/plain;q=0.5', ...(method !== 'GET' && { [tokenHeader]: pageToken() }), ...asked.headers },
      ...(body !== undefined && { body }),
      ...(asked.signal && { signal: asked.signal }),
    })
  let response = await send()
  // After a restart the server has a new token.
  if (response.status === 403 && method !== 'GET' && (await renewToken())) response = await send()
  const text = await response.text()
  // An agent that is not ready says why in the form of one that is.
  if (!response.ok && id !== 'readyz') throw new ProblemError(problemOf(response, text))
  // The cast is safe: the types are written from the server's own description.
  return (isJson(response) ? JSON.parse(text) : text) as Operations[Id]['answer']
}

/** The path of an operation with its parameters, below the origin of the page. */
export function urlOf<Id extends OperationId>(id: Id, { params, query }: Pick<Asked<Id>, 'params' | 'query'>): string {
  const { path, plane } = routes[id]
  const values: Readonly<Record<string, unknown>> = params ?? {}
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])))
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return `${plane === 'data' ? '/data' : ''}${filled}${search === '' ? '' : `?${search}`}`
}

const tokenHeader = 'x-lks-page-token'
let renewedToken: string | undefined

function pageToken(): string {
  return renewedToken ?? tokenIn(document)
}

function tokenIn(page: Document): string {
  return page.querySelector<HTMLMetaElement>('meta[name=lks-page-token]')?.content ?? ''
}

/** Reads the token of a newer page; false if there is no other one. */
async function renewToken(): Promise<boolean> {
  const response = await fetchOrAway('/', { headers: { accept: 'text/html' } })
  const token = tokenIn(new DOMParser().parseFromString(await response.text(), 'text/html'))
  if (token === '' || token === pageToken()) return false
  renewedToken = token
  return true
}

async function fetchOrAway(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    if (init.signal?.aborted === true) throw error
    throw new AwayError('The server does not answer.', { cause: error })
  }
}

function isJson(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('application/json') === true
}

function problemOf(response: Response, text: string): Problem {
  if (isJson(response)) return JSON.parse(text) as Problem
  return { error: response.statusText, error_code: response.status, message: text.slice(0, 300), docs: '/docs', request_id: '' }
}
