// The builds that the benches measure: the one of this checkout, and the one of an older checkout.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A checkout of this repository after `pnpm build`. */
export interface Build {
  /** The program of the server. */
  readonly main: string
  /** The library, with `startKafka()`. */
  readonly index: string
}

export const repository = fileURLToPath(new URL('..', import.meta.url))

export function thisBuild(): Build {
  return buildIn(repository)
}

/** Throws if the folder is not a checkout with a build. */
export function buildIn(folder: string): Build {
  const dist = resolve(folder, 'packages/local-kafka-service/dist')
  const build = { main: join(dist, 'main.cjs'), index: join(dist, 'index.js') }
  if (!existsSync(build.main)) throw new Error(`'${folder}' is not a checkout with a build: run pnpm build in it first`)
  return build
}
