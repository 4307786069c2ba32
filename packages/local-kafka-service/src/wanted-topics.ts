// The topics that a command line asks for when a server starts: `orders:3,audit`.

export interface WantedTopic {
  readonly name: string
  readonly partitionCount: number
}

/** Parses `orders:3,audit`, with one partition by default. Returns a text that says what is wrong. */
export function wantedTopics(text: string): readonly WantedTopic[] | string {
  const topics: WantedTopic[] = []
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const [, name = '', count = '1'] = /^([^:\s]+)(?::([1-9]\d{0,5}))?$/.exec(part.trim()) ?? []
    if (name === '') return `'${part}' is not a valid topic with a partition count, such as orders:3`
    topics.push({ name, partitionCount: Number(count) })
  }
  return topics
}
