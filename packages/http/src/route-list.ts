// The routes of one plane, for the answers to a request that none of them takes.

interface Route {
  readonly method: string | readonly string[]
  readonly url: string
}

export class RouteList {
  readonly #routes: { readonly path: string; readonly pattern: RegExp; readonly methods: readonly string[] }[] = []

  add({ method, url }: Route): void {
    const path = url.replaceAll(/:(\w+)/g, '{$1}')
    this.#routes.push({ path, pattern: new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+')}$`), methods: [method].flat() })
  }

  /** As people write them: `/topics/{topic}`. Each once, in order. */
  get paths(): readonly string[] {
    return [...new Set(this.#routes.map(({ path }) => path))].toSorted()
  }

  /** The methods that a path takes; none where nothing is at the path. */
  methodsOf(path: string): readonly string[] {
    return [...new Set(this.#routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))].toSorted()
  }
}
