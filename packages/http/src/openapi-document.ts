// The form of the OpenAPI document.

export interface OpenApi {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly paths: Readonly<Record<string, PathItem>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

export type PathItem = { readonly servers: readonly { readonly url: string; readonly description: string }[] } & Readonly<
  Record<string, unknown>
>
