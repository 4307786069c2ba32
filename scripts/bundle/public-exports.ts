// Which exports of a package.json are published.

/** Those with a target besides their source. The others are for this repository's packages: `local-kafka-service/internal/*`. */
export function publicExports<Conditions extends object>(
  exports: Readonly<Record<string, Conditions>>,
): readonly (readonly [subpath: string, conditions: Conditions])[] {
  return Object.entries(exports).filter(([, conditions]) => Object.keys(conditions).some((condition) => condition !== 'lks-source'))
}
