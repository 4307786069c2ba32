// The names of Kafka's internal topics. This server keeps their contents in its database, so it never creates topics with these names.

const internalTopics: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '__cluster_metadata',
])

/** A client may request one, like any topic that does not exist; an older version of this server may have created an ordinary one. */
export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}
