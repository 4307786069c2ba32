// The console: one HTML page that the build makes, with a nonce for its scripts and the token that its writes carry.
import type { Random } from '@local-kafka-service/agent'

/** Reads the built page; undefined when it was not built. */
export type ReadConsolePage = () => Promise<string | undefined>

/** The header in which the page sends its token. */
export const pageTokenHeader = 'x-lks-page-token'

export interface ConsolePage {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

/** The places in the built page that are filled in for each answer. */
const nonceMark = '{{nonce}}'
const tokenMark = '{{token}}'

/** A new token for the life of a server. Pages of other origins cannot read it. */
export function newPageToken(random: Random): string {
  return Buffer.from(random.bytes(18)).toString('base64url')
}

/** The page with its Content-Security-Policy: its own scripts and styles, and requests to this server only. */
export async function consolePage(read: ReadConsolePage, { token, random }: { token: string; random: Random }): Promise<ConsolePage> {
  const nonce = Buffer.from(random.bytes(18)).toString('base64url')
  const built = (await read()) ?? notBuilt
  return {
    html: built.replaceAll(nonceMark, nonce).replaceAll(tokenMark, token),
    headers: {
      'content-security-policy': `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      // The token is for this page only, and a newer server has a newer page.
      'cache-control': 'no-store',
      vary: 'accept',
    },
  }
}

/** Whether a request asks for a page: a browser that opens an address does, and programs that accept anything do not. */
export function wantsPage(accept: string | undefined): boolean {
  return accept !== undefined && /(^|,)\s*text\/html\s*(;|,|$)/i.test(accept)
}

/** For a browser that opens an address without a page. */
export function lostPage(home: string): ConsolePage {
  return {
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Not found</title><style>${plainStyle}</style></head>
<body><main><h1>There is no page at this address</h1><p><a href="${home}">Open the console</a></p></main></body></html>
`,
    headers: {
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      vary: 'accept',
    },
  }
}

const plainStyle =
  ':root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}main{max-width:40rem;margin:4rem auto;padding:0 1rem}pre{background:#8882;padding:.8rem;overflow-x:auto}'

/** For a server that runs from its sources without a build of the page. */
const notBuilt = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Local Kafka Service</title>
<style nonce="${nonceMark}">${plainStyle}</style></head>
<body><main><h1>The console is not built</h1>
<p>This server runs from its sources. Build its console once, then load this page again; the server can go on running:</p>
<pre>node scripts/console/build.ts</pre>
<p><code>pnpm start</code> and <code>pnpm build</code> do it too. The <a href="/docs">HTTP API</a> works without the console.</p>
</main></body></html>
`
