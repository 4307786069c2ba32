// The names of Kafka's internal topics. This server keeps what they hold in its database, so no topic of these names is ever made.

const internalTopics: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
  '__cluster_metadata',
])

/** A client may ask for one, as for any topic that does not exist; an older version of this server may have made an ordinary one. */
export function isInternalTopic(name: string): boolean {
  return internalTopics.has(name)
}
