// The routes of one plane, for the answer to a request without a route.

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

  /** Sorted, without duplicates, in the form `/topics/{topic}`. */
  get paths(): readonly string[] {
    return [...new Set(this.#routes.map(({ path }) => path))].toSorted()
  }

  /** The methods that a path supports; none if the path does not exist. */
  methodsOf(path: string): readonly string[] {
    return [...new Set(this.#routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods))].toSorted()
  }
}
