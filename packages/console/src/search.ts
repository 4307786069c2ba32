// What a person looks for in a topic.

/** What the page shows. Without `at` all partitions, the newest first. */
export interface Search {
  readonly text: string
  readonly key: string
  /** A length of time that ends now, such as `1h`; empty for all. */
  readonly since: string
  /** A place instead of a search. */
  readonly at: { readonly partition: number; readonly offset: number } | undefined
}

export const everything: Search = { text: '', key: '', since: '', at: undefined }
