// The topics that a command reads: the names that the user gave, with each pattern replaced by the topics that match it now.
import { withCluster } from '../../cluster/cluster-client.ts'
import type { CommandContext } from '../client-command.ts'
import { hasPattern, namedTopics } from '../topic/topic-pattern.ts'

/** Only a pattern needs a connection of its own. Rejects with a UserError if a pattern matches no topic. */
export async function topicsNamed(words: readonly string[], context: CommandContext): Promise<readonly string[]> {
  if (!hasPattern(words)) return [...new Set(words)]
  let names: readonly string[] = []
  await withCluster(context, async (cluster) => {
    names = await namedTopics(cluster, words)
  })
  return names
}
