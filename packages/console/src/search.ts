// What a person looks for in a topic.

/** What the page shows. Without `at` all partitions, the newest first. */
export interface Search {
  readonly text: string
  readonly key: string
  /** A length of time that ends now, such as `1h`, or an instant; empty for all. */
  readonly since: string
  /** An instant; empty for now and what comes. */
  readonly until: string
  /** A place instead of a search. */
  readonly at: { readonly partition: number; readonly offset: number } | undefined
}

/** Whether new records can belong to what is shown, so that it can be followed live. */
export function isOpenEnded({ until, at }: Search): boolean {
  return until === '' && at === undefined
}

export const everything: Search = { text: '', key: '', since: '', until: '', at: undefined }
