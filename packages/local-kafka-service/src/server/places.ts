// The places of a server's data as text, for the first screen and for errors.
import type { ServerPlan } from './server-plan.ts'

export function objectsAt({ objects }: Pick<ServerPlan, 'objects'>): string {
  switch (objects.kind) {
    case 'memory':
      return 'memory'
    case 'directory':
      return objects.path
    case 's3':
      return `s3://${objects.bucket}${objects.prefix === '' ? '' : `/${objects.prefix}`}`
  }
}

/** Never contains a password. */
export function metadataAt({ metadata }: Pick<ServerPlan, 'metadata'>): string {
  switch (metadata.kind) {
    case 'memory':
      return 'memory'
    case 'sqlite':
      return metadata.path
    case 'postgres': {
      const url = new URL(metadata.url)
      return `postgres://${url.username === '' ? '' : `${url.username}@`}${url.host}${url.pathname}`
    }
  }
}
