// The control plane of a Local Kafka Service server, over HTTP: for requests that Kafka's protocol does not have.
import { errorText, isError } from '@local-kafka-service/agent/native-error'
import { UserError } from 'local-kafka-service/internal/user-error'

export interface ControlPlaneOptions {
  /** `http://localhost:8000` */
  readonly url: string
  readonly signal: AbortSignal
}

const timeoutMs = 30_000

export class ControlPlane {
  readonly #options: ControlPlaneOptions

  constructor(options: ControlPlaneOptions) {
    this.#options = options
  }

  /** Returns the body of the answer. Rejects with a UserError when the server does not answer, or rejects the request. */
  async call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
    return await this.#call({ method, path, body, limitMs: timeoutMs })
  }

  /** As `call`, for work that may take any time: only the signal ends the wait. */
  async work<T>(path: string, body?: object): Promise<T> {
    return await this.#call({ method: 'POST', path, body })
  }

  async #call<T>(request: ControlRequest): Promise<T> {
    const { method, path } = request
    const { status, answer } = await this.#ask(request, (response): Promise<unknown> => response.json())
    if (status < 300) return answer as T
    throw rejectionOf(status, answer as Partial<RejectedRequest> | null, `${method} ${path}`)
  }

  /** Returns the text of a page. Rejects as `call` does. */
  async text(path: string): Promise<string> {
    const { status, answer } = await this.#ask({ method: 'GET', path, limitMs: timeoutMs }, (response) => response.text())
    if (status < 300) return answer
    throw rejectionOf(status, null, `GET ${path}`)
  }

  async #ask<T>(
    { method, path, body, limitMs }: ControlRequest,
    read: (response: Response) => Promise<T>,
  ): Promise<{ readonly status: number; readonly answer: T }> {
    const { url, signal } = this.#options
    const at = `${url.replace(/\/+$/, '')}${path}`
    try {
      const response = await fetch(at, {
        method,
        signal: limitMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
        ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      return { status: response.status, answer: await read(response) }
    } catch (error) {
      if (signal.aborted) throw error
      throw new UserError('LKS-4001', {
        what: `${url} does not answer as the control plane of a Local Kafka Service server`,
        why: reasonOf(error),
        fix: ['start the server: lks dev', 'name its control plane, which it prints when it starts: --url http://localhost:8000'],
        cause: error,
      })
    }
  }
}

interface ControlRequest {
  readonly method: string
  readonly path: string
  readonly body?: object | undefined
  /** How long it may take. Absent: any time. */
  readonly limitMs?: number
}

interface RejectedRequest {
  readonly error: string
  readonly message: string
  readonly hint: string
}

function rejectionOf(status: number, body: Partial<RejectedRequest> | null, request: string): UserError {
  const what = body?.message?.replace(/\.$/, '') ?? `${request} was answered with status ${status}`
  const fix = body?.hint === undefined ? [] : [body.hint]
  switch (body?.error) {
    case 'UnknownTopicOrPartitionException':
      return new UserError('LKS-4008', { what, fix: ['show all topics: lks topic list'] })
    case 'NotFoundException':
      return new UserError('LKS-4006', { what, fix: ['use a server of the same version as this command'] })
    default:
      return new UserError('LKS-4007', { what, fix })
  }
}

/** `fetch` hides the cause of a failed connection. */
function reasonOf(error: unknown): string {
  const cause = isError(error) ? error.cause : undefined
  if (!isError(cause)) return errorText(error)
  // Several addresses were tried: the error itself has no text.
  return cause.message === '' && 'code' in cause ? String(cause.code) : errorText(cause)
}
