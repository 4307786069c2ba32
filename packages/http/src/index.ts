// The public surface of the HTTP package.

export { type HttpOptions, type HttpPlane, type HttpServers, serveHttp } from './serve.ts'
export type { ServedAgent } from './served-agent.ts'
export { type PortAsk, PortError } from './servers.ts'
