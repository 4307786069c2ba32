// What requests to an object store cost, from the settings.
import { number, type Settings } from './settings.ts'

/** In dollars. Deletes cost nothing at S3, and a list costs as much as a PUT. */
export interface StorePrices {
  readonly perPut: number
  readonly perGet: number
}

/** Undefined: the store charges nothing. */
export function storePrices(settings: Settings): StorePrices | undefined {
  const perPut = number(settings, 'store.price.per.1000.puts') / 1_000
  const perGet = number(settings, 'store.price.per.1000.gets') / 1_000
  return perPut === 0 && perGet === 0 ? undefined : { perPut, perGet }
}
