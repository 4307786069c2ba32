// Debian's Chromium through playwright-core, which downloads no browser; and axe, which finds what people with disabilities cannot use.
import { existsSync } from 'node:fs'

import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'

/** The path of Chromium on this machine, or undefined. */
export const chromiumPath = [process.env['LKS_TEST_CHROMIUM'], '/usr/bin/chromium'].find((path) => path !== undefined && existsSync(path))

/** A viewport and a colour scheme: each page is tested in two of them, and for pictures in all four. */
export interface Look {
  readonly name: string
  readonly width: number
  readonly scheme: 'light' | 'dark'
}

export const looks: readonly Look[] = [
  { name: 'wide-light', width: 1280, scheme: 'light' },
  { name: 'phone-dark', width: 390, scheme: 'dark' },
  ...(process.env['LKS_SCREENSHOTS'] === undefined
    ? []
    : ([
        { name: 'wide-dark', width: 1280, scheme: 'dark' },
        { name: 'phone-light', width: 390, scheme: 'light' },
      ] as const)),
]

export async function startBrowser(): Promise<Browser> {
  // Root, as in CI, may run it only without its sandbox; it loads nothing but our own page.
  return await chromium.launch({ ...(chromiumPath !== undefined && { executablePath: chromiumPath }), args: ['--no-sandbox'] })
}

export interface OpenPage extends AsyncDisposable {
  readonly page: Page
  /** Errors of the page, and its requests to other origins. */
  readonly complaints: string[]
}

/** A page in a context of its own. */
export async function openPage(browser: Browser, url: string, { width, scheme }: Omit<Look, 'name'>): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  const complaints: string[] = []
  const { origin } = new URL(url)
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    // A policy that was violated is an error of the console, too. Answers with an error status are part of some tests.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) complaints.push(`a request to ${request.url()}`)
  })
  await page.goto(url)
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() }
}

/** What axe finds, one line each; empty if all is well. */
export async function violations(page: Page): Promise<readonly string[]> {
  // The page's policy forbids other scripts, but not those of a debugger.
  await page.evaluate(axe.source)
  const found = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as axe.AxeResults
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${String(target)} ${failureSummary ?? ''}`),
  )
}

/** By how many pixels the page is wider than the window. */
export async function overflow(page: Page): Promise<number> {
  return (await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')) as number
}

/** Writes a picture for people who look at it, if LKS_SCREENSHOTS names a folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env['LKS_SCREENSHOTS']
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
