// The configs of a resource after a change. A broker of Apache Kafka answers from its own copy of the metadata, which may lack the change for a moment.
import type { ConfigChange, ConfigEntry } from '../../cluster/configs.ts'

interface DescribeSteps {
  readonly describe: () => Promise<readonly ConfigEntry[]>
  /** Waits before the next look. */
  readonly pause: () => Promise<void>
}

const looks = 30

/** Describes until all changes are shown, at most 30 times. `shown` is false if a change is still missing: it may come later, or its value may be shown in another form. */
export async function describedAfter(
  changes: readonly ConfigChange[],
  { describe, pause }: DescribeSteps,
): Promise<{ readonly configs: readonly ConfigEntry[]; readonly shown: boolean }> {
  for (let look = 1; ; look++) {
    const configs = await describe()
    const shown = changes.every((change) => configs.some((config) => shows(config, change)))
    if (shown || look === looks) return { configs, shown }
    await pause()
  }
}

/** Secret values are never shown. A reset config may have a value of another source: the broker's, or the default. */
function shows({ name, value, source, sensitive }: ConfigEntry, change: ConfigChange): boolean {
  if (name !== change.name) return false
  if (change.value === undefined) return source !== 'topic' && source !== 'broker'
  return sensitive || value === change.value
}
